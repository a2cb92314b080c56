/*
 * A destination for the long runs: fast, and it remembers what it got.
 *     sink PORT LOG FAIL_PERCENT
 * Listens on loopback (PORT 0: one that is free; it is printed), answers 200,
 * or 500 to so many percent of the requests at random, and writes a line to
 * LOG before each answer:
 *     time_us status attempt n ticket at_us
 * The last three are what fill.c wrote into the body. One thread, epoll;
 * what is not a delivery ends it.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"

#define REQUEST_MAX_BYTES 65536
#define EVENTS_MAX_COUNT  64

struct sink {
	int epoll_fd;
	int listen_fd;
	int log_fd;
	unsigned fail_percent;
};

struct connection {
	int fd;
	size_t len;
	char buf[REQUEST_MAX_BYTES];
};

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The number after `key` in the text; -1: it is not there. */
static long long
number_after(const char *text, const char *key)
{
	const char *found = strcasestr(text, key);

	return found == NULL ? -1 : strtoll(found + strlen(key), NULL, 10);
}

static void
answer(const struct sink *sink, int fd, const char *head, const char *body)
{
	static const char fine[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
				   "\r\nok\n";
	static const char fails[] = "HTTP/1.1 500 Failed\r\n"
				    "Content-Length: 3\r\n\r\nno\n";
	bool is_fine = (unsigned)(random() % 100) >= sink->fail_percent;
	const char *text = is_fine ? fine : fails;
	char line[200];
	int len;

	len = snprintf(line, sizeof line, "%lld %d %lld %lld %lld %lld\n",
	    now_us(), is_fine ? 200 : 500,
	    number_after(head, "\r\nhookspool-attempt: "),
	    number_after(body, "\"n\": "), number_after(body, "\"ticket\": "),
	    number_after(body, "\"at_us\": "));
	if (write(sink->log_fd, line, (size_t)len) != len)
		die("write to the log");
	/* A relay that was killed is not there to read it. */
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Answers one request if a whole one is there, and takes it away. */
static bool
take_request(const struct sink *sink, struct connection *connection)
{
	char *body, saved;
	size_t whole;
	long long length;

	connection->buf[connection->len] = '\0';
	body = strstr(connection->buf, "\r\n\r\n");
	if (body == NULL)
		return false;
	body += 4;
	length = number_after(connection->buf, "\r\ncontent-length: ");
	if (length < 0) {
		errno = EPROTO;
		die("a request without a length");
	}
	whole = (size_t)(body - connection->buf) + (size_t)length;
	if (whole > connection->len)
		return false;
	saved = connection->buf[whole];
	connection->buf[whole] = '\0';
	answer(sink, connection->fd, connection->buf, body);
	connection->buf[whole] = saved;
	connection->len -= whole;
	memmove(connection->buf, connection->buf + whole, connection->len);
	return true;
}

static void
serve(const struct sink *sink, struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->buf + connection->len,
	    sizeof connection->buf - 1 - connection->len, 0);

	if (got <= 0) {
		close(connection->fd);
		free(connection);
		return;
	}
	connection->len += (size_t)got;
	while (take_request(sink, connection))
		continue;
}

static void
watch(const struct sink *sink, int fd, void *who)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};

	if (epoll_ctl(sink->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static void
welcome(const struct sink *sink)
{
	struct connection *connection;
	int on = 1, fd = accept4(sink->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	connection = xcalloc(1, sizeof *connection);
	connection->fd = fd;
	watch(sink, fd, connection);
}

static void
listen_on(struct sink *sink, long port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int on = 1;

	sink->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sink->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(sink->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(sink->listen_fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(sink->listen_fd, 128) != 0 ||
	    getsockname(sink->listen_fd, (struct sockaddr *)&address, &len) !=
		0)
		die("listen");
	watch(sink, sink->listen_fd, NULL);
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX_COUNT];
	struct sink sink = {.log_fd = -1};
	int i, count;

	if (argc != 4)
		return 2;
	sink.log_fd =
	    open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (sink.log_fd < 0)
		die(argv[2]);
	sink.fail_percent = (unsigned)strtoul(argv[3], NULL, 10);
	srandom((unsigned)time(NULL) ^ (unsigned)getpid());
	listen_on(&sink, strtol(argv[1], NULL, 10));
	for (;;) {
		count = epoll_wait(sink.epoll_fd, events, EVENTS_MAX_COUNT, -1);
		if (count < 0 && errno != EINTR)
			die("epoll_wait");
		for (i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL)
				welcome(&sink);
			else
				serve(&sink, events[i].data.ptr);
		}
	}
}
