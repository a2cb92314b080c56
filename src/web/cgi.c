/*
 * Plain CGI: see cgi.h.
 */
#include "config.h"

#include "web/cgi.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define READ_BYTES 65536
#define LINGER_MS  2000

bool
cgi_is_request(void)
{
	return getenv("REQUEST_METHOD") != NULL ||
	       getenv("GATEWAY_INTERFACE") != NULL;
}

static const char *
read_variable(struct exchange *exchange, const char *name)
{
	(void)exchange;
	return getenv(name);
}

static bool
has_text(const char *value)
{
	return value != NULL && *value != '\0';
}

/* Waits for bytes or the end of file. Returns false after the deadline. */
static bool
wait_readable(int64_t deadline_ms)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t left_ms;
	int ready;

	do {
		left_ms = deadline_ms - clock_mono_ms();
		if (left_ms < 0)
			left_ms = 0;
		ready = poll(&in, 1, (int)left_ms);
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* Checks for a byte beyond the maximum. With a Content-Length the server need
 * not mark the end (RFC 3875, 4.2), so only look without waiting. */
static enum body_end
look_beyond(int64_t deadline_ms)
{
	char byte;
	ssize_t got;

	if (has_text(getenv("CONTENT_LENGTH")))
		deadline_ms = clock_mono_ms();
	if (!wait_readable(deadline_ms))
		return has_text(getenv("CONTENT_LENGTH")) ? BODY_WHOLE
							  : BODY_LATE;
	got = read(STDIN_FILENO, &byte, 1);
	if (got < 0)
		return BODY_BROKEN;
	return got > 0 ? BODY_MORE : BODY_WHOLE;
}

static enum body_end
read_body(struct exchange *exchange, struct buf *body, int64_t deadline_ms)
{
	(void)exchange;
	while (body->len < body->max) {
		size_t want = body->max - body->len;
		char *to;
		ssize_t got;

		if (want > READ_BYTES)
			want = READ_BYTES;
		if (!wait_readable(deadline_ms))
			return BODY_LATE;
		to = buf_reserve(body, want);
		got = read(STDIN_FILENO, to, want);
		if (got < 0)
			return BODY_BROKEN;
		if (got == 0)
			return BODY_WHOLE;
		body->len += (size_t)got;
	}
	return look_beyond(deadline_ms);
}

struct exchange
cgi_exchange(void)
{
	return (struct exchange){
	    .variable = read_variable,
	    .read_body = read_body,
	    .marks_end = has_text(getenv("HTTP_TRANSFER_ENCODING")),
	};
}

/* Reads the rest of a refused body for a moment. mod_cgid uses one socket for
 * both directions; closing a socket with unread bytes would discard the
 * answer. */
static void
drain(void)
{
	int64_t deadline_ms = clock_mono_ms() + LINGER_MS;
	char scrap[READ_BYTES];

	while (wait_readable(deadline_ms) &&
	       read(STDIN_FILENO, scrap, sizeof scrap) > 0)
		continue;
}

void
cgi_answer(const struct answer *answer)
{
	struct buf out;
	size_t done = 0;
	ssize_t wrote;

	buf_init(&out, ANSWER_RENDERED_MAX_BYTES);
	answer_render(answer, &out);
	while (done < out.len) {
		wrote = write(STDOUT_FILENO, out.data + done, out.len - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			break; /* the reader is gone: give up */
		done += (size_t)wrote;
	}
	buf_free(&out);
	shutdown(STDOUT_FILENO, SHUT_WR);
	close(STDOUT_FILENO);
	if (answer->status != 200)
		drain();
	close(STDIN_FILENO);
}
