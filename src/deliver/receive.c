/*
 * Receives answers: see receive.h.
 */
#include "config.h"

#include "deliver/receive.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "deliver/deliver.h"

#define BODY_READ_MAX_BYTES    65536 /* limit for reading an answer */
#define HEADERS_READ_MAX_BYTES 65536 /* limit for an answer's headers */

static void
keep_retry_after(struct deliver_result *result, const char *line, size_t len)
{
	static const char name[] = "Retry-After:";
	const size_t name_len = sizeof name - 1;

	if (len <= name_len || strncasecmp(line, name, name_len) != 0)
		return;
	line += name_len;
	len -= name_len;
	while (len > 0 && strchr(" \t", *line) != NULL) {
		line++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	if (len < sizeof result->retry_after && memchr(line, 0, len) == NULL)
		snprintf(result->retry_after, sizeof result->retry_after,
		    "%.*s", (int)len, line);
}

size_t
receive_header(char *line, size_t size, size_t count, void *arg)
{
	struct receive *receive = arg;
	size_t len = size * count;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		receive->result->retry_after[0] =
		    '\0'; /* from an earlier 1xx */
	keep_retry_after(receive->result, line, len);
	receive->header_bytes += len;
	return receive_is_overrun(receive) ? 0 : len;
}

size_t
receive_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct receive *receive = arg;
	struct deliver_result *result = receive->result;
	size_t len = size * count;
	size_t room = sizeof result->answer - result->answer_bytes;
	size_t kept = len < room ? len : room;

	memcpy(result->answer + result->answer_bytes, bytes, kept);
	result->answer_bytes += kept;
	receive->body_bytes += len;
	return receive_is_enough(receive) ? 0 : len;
}

bool
receive_is_overrun(const struct receive *receive)
{
	return receive->header_bytes > HEADERS_READ_MAX_BYTES;
}

bool
receive_is_enough(const struct receive *receive)
{
	return receive->body_bytes > BODY_READ_MAX_BYTES;
}
