/*
 * FastCGI by libfcgi: see gateway.h. libfcgi closes the connection at times of
 * its own choice, so the watchdog uses a duplicate that only this file closes.
 * libfcgi never sees the listening socket. With `detached` set, libfcgi does
 * not wait up to 2 s for the peer to close.
 */
#include "config.h"

#include "web/gateway.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define READ_BYTES     16384
#define LOG_MAX_BYTES  16384 /* log lines of one request */
#define LINGER_MS      2000  /* for the rest of a refused body */
#define NO_LISTEN_SOCK (-1)

struct gateway {
	struct exchange exchange; /* first member: see gateway_of */
	FCGX_Request fcgx;
	struct buf log; /* log lines of this request, not yet sent */
	size_t log_lines;
	int watch_fd; /* the connection's duplicate, or /dev/null; always
			 open, so a lack of descriptors cannot take the
			 number */
	int null_fd;  /* /dev/null */
	struct watchdog *dog;
	size_t worker;
};

static struct gateway *
gateway_of(struct exchange *exchange)
{
	return (struct gateway *)(void *)exchange;
}

bool
gateway_start(void)
{
	return FCGX_Init() == 0;
}

static const char *
read_variable(struct exchange *exchange, const char *name)
{
	return FCGX_GetParam(name, gateway_of(exchange)->fcgx.envp);
}

/* Returns whether the body was read to its end without an error. A broken
 * stream also counts as ended for FCGX_HasSeenEOF. */
static bool
has_ended(const struct gateway *gateway)
{
	return FCGX_HasSeenEOF(gateway->fcgx.in) != 0 &&
	       FCGX_GetError(gateway->fcgx.in) == 0;
}

/* Reads to the maximum, and then one byte more to detect a longer body. Returns
 * false if there was such a byte. */
static bool
read_to_end(FCGX_Stream *in, struct buf *body)
{
	char beyond;

	while (body->len < body->max) {
		size_t want = body->max - body->len;
		char *to;
		int got;

		if (want > READ_BYTES)
			want = READ_BYTES;
		to = buf_reserve(body, want);
		got = FCGX_GetStr(to, (int)want, in);
		if (got > 0)
			body->len += (size_t)got;
		if (got < (int)want)
			return true;
	}
	return FCGX_GetStr(&beyond, 1, in) < 1;
}

static enum body_end
read_body(struct exchange *exchange, struct buf *body, int64_t deadline_ms)
{
	struct gateway *gateway = gateway_of(exchange);
	FCGX_Stream *in = gateway->fcgx.in;
	bool is_at_end, is_late;

	watchdog_set(gateway->dog, gateway->worker, gateway->watch_fd,
	    deadline_ms, WATCH_READ);
	is_at_end = read_to_end(in, body);
	is_late = watchdog_clear(gateway->dog, gateway->worker);
	if (!is_at_end)
		return BODY_MORE;
	if (FCGX_GetError(in) == 0)
		return BODY_WHOLE;
	return is_late || FCGX_GetError(in) == EAGAIN ? BODY_LATE : BODY_BROKEN;
}

struct gateway *
gateway_new(struct watchdog *dog, size_t worker)
{
	struct gateway *gateway = xcalloc(1, sizeof *gateway);

	gateway->exchange = (struct exchange){
	    .variable = read_variable,
	    .read_body = read_body,
	    .marks_end = true,
	};
	gateway->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	gateway->watch_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (gateway->null_fd < 0 || gateway->watch_fd < 0)
		fatal(1, "no descriptor is left",
		    LOG_TEXT("error", strerror(errno)));
	gateway->dog = dog;
	gateway->worker = worker;
	buf_init(&gateway->log, LOG_MAX_BYTES);
	FCGX_InitRequest(&gateway->fcgx, NO_LISTEN_SOCK, 0);
	return gateway;
}

void
gateway_free(struct gateway *gateway)
{
	if (gateway == NULL)
		return;
	gateway_close(gateway);
	close(gateway->watch_fd);
	close(gateway->null_fd);
	buf_free(&gateway->log);
	free(gateway);
}

void
gateway_open(struct gateway *gateway, int fd)
{
	gateway->fcgx.ipcFd = fd;
	dup3(fd, gateway->watch_fd, O_CLOEXEC);
}

void
gateway_close(struct gateway *gateway)
{
	gateway->fcgx.detached = 1;
	if (gateway->fcgx.ipcFd >= 0)
		FCGX_Free(&gateway->fcgx, 1);
	dup3(gateway->null_fd, gateway->watch_fd, O_CLOEXEC);
}

/* Keeps a line until the answer is sent, because then the watchdog guards
 * against a web server that does not read. */
static bool
keep_line(void *arg, const char *line)
{
	struct gateway *gateway = arg;

	if (!buf_add_format(&gateway->log, "%s\n", line))
		return false;
	gateway->log_lines++;
	return true;
}

/* Bounds each single read and write too, in case a shutdown does not end
 * one. */
static void
set_timeouts(int fd, int64_t timeout_ms)
{
	struct timeval bound = {
	    .tv_sec = (time_t)(timeout_ms / 1000 + 1),
	};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
}

struct exchange *
gateway_next(struct gateway *gateway, int64_t timeout_ms)
{
	int status;

	if (gateway->fcgx.ipcFd < 0)
		return NULL;
	set_timeouts(gateway->fcgx.ipcFd, timeout_ms);
	gateway->fcgx.keepConnection = 1; /* do not close before accepting */
	gateway->fcgx.detached = 1;
	watchdog_set(gateway->dog, gateway->worker, gateway->watch_fd,
	    clock_mono_ms() + timeout_ms, WATCH_READ);
	status = FCGX_Accept_r(&gateway->fcgx);
	watchdog_clear(gateway->dog, gateway->worker);
	/* libfcgi returns success when the variables break off between two
	 * variables, but records the error. */
	if (status != 0 || FCGX_GetError(gateway->fcgx.in) != 0)
		return NULL;
	log_set_sink(keep_line, gateway);
	return &gateway->exchange;
}

/* Reads the rest of a refused body for a moment: a web server may read the
 * answer only after writing its whole request. Only a few workers may wait so;
 * the others read just the bytes already received. Otherwise unfinished bodies
 * from anybody could hold all threads. */
static void
drain(struct gateway *gateway)
{
	char scrap[READ_BYTES];

	if (!watchdog_linger(gateway->dog, gateway->worker, gateway->watch_fd,
		clock_mono_ms() + LINGER_MS))
		shutdown(gateway->watch_fd, SHUT_RD);
	while (FCGX_GetStr(scrap, sizeof scrap, gateway->fcgx.in) ==
	       (int)sizeof scrap)
		continue;
	watchdog_clear(gateway->dog, gateway->worker);
}

static void
write_log(struct gateway *gateway)
{
	FCGX_Stream *err = gateway->fcgx.err;

	if (gateway->log.len > 0 &&
	    (FCGX_PutStr(gateway->log.data, (int)gateway->log.len, err) < 0 ||
		FCGX_FFlush(err) != 0))
		log_count_dropped(gateway->log_lines);
	buf_clear(&gateway->log);
	gateway->log_lines = 0;
}

static void
write_answer(struct gateway *gateway, const struct answer *answer)
{
	struct buf out;

	buf_init(&out, ANSWER_RENDERED_MAX_BYTES);
	answer_render(answer, &out);
	/* The log goes first: lighttpd stops reading after the answer. */
	write_log(gateway);
	FCGX_PutStr(out.data, (int)out.len, gateway->fcgx.out);
	buf_free(&out);
}

bool
gateway_answer(
    struct gateway *gateway, const struct answer *answer, int64_t timeout_ms)
{
	log_set_sink(NULL, NULL);
	watchdog_set(gateway->dog, gateway->worker, gateway->watch_fd,
	    clock_mono_ms() + timeout_ms, WATCH_WRITE);
	write_answer(gateway, answer);
	if (!has_ended(gateway) && FCGX_GetError(gateway->fcgx.in) == 0) {
		FCGX_FFlush(gateway->fcgx.out);
		drain(gateway);
		watchdog_set(gateway->dog, gateway->worker, gateway->watch_fd,
		    clock_mono_ms() + timeout_ms, WATCH_WRITE);
	}
	/* Closes the connection unless the body's end was read: unread bytes
	 * would corrupt the next request. */
	gateway->fcgx.detached = 1;
	FCGX_Finish_r(&gateway->fcgx);
	watchdog_clear(gateway->dog, gateway->worker);
	return gateway->fcgx.ipcFd >= 0;
}
