/*
 * Writes answers as bytes: see answer.h.
 */
#include "config.h"

#include "web/answer.h"

#include <string.h>

#define TYPE_PLAIN "text/plain; charset=utf-8"

/* The contract's statuses; `header` belongs to one status. */
static const struct status {
	int code;
	const char *phrase;
	const char *header;
} statuses[] = {
    {200, "OK", ""}, {400, "Bad Request", ""}, {403, "Forbidden", ""},
    {404, "Not Found", ""},
    {405, "Method Not Allowed", "Allow: GET, HEAD, POST\r\n"},
    {408, "Request Timeout", ""}, {411, "Length Required", ""},
    {413, "Content Too Large", ""}, {415, "Unsupported Media Type", ""},
    {503, "Service Unavailable", "Retry-After: 10\r\n"},
    {500, "Internal Server Error", ""}, /* last: for any other code */
};

static const struct status *
find_status(int code)
{
	const struct status *last =
	    statuses + sizeof statuses / sizeof *statuses;
	const struct status *s;

	for (s = statuses; s < last - 1; s++)
		if (s->code == code)
			return s;
	return s;
}

void
answer_init(struct answer *answer)
{
	*answer = (struct answer){.type = TYPE_PLAIN};
	buf_init(&answer->body, ANSWER_BODY_MAX_BYTES);
}

void
answer_ok(
    struct answer *answer, const char *type, const void *bytes, size_t len)
{
	answer->status = 200;
	answer->type = type;
	buf_clear(&answer->body);
	buf_add(&answer->body, bytes, len);
}

void
answer_refuse(struct answer *answer, int status, const char *reason)
{
	answer->status = status;
	answer->type = TYPE_PLAIN;
	buf_clear(&answer->body);
	buf_add_text(&answer->body, reason);
	buf_add_text(&answer->body, "\n");
}

void
answer_render(const struct answer *answer, struct buf *out)
{
	const struct status *status = find_status(answer->status);

	buf_add_format(out,
	    "Status: %d %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Cache-Control: no-store\r\n"
	    "Content-Security-Policy: default-src 'none'\r\n"
	    "%s\r\n",
	    status->code, status->phrase, answer->type, answer->body.len,
	    status->header);
	if (!answer->is_bodyless)
		buf_add(out, answer->body.data, answer->body.len);
}

void
answer_free(struct answer *answer)
{
	if (answer != NULL)
		buf_free(&answer->body);
}
