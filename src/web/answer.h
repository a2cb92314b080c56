/*
 * An answer to a request, in the form that FastCGI and CGI share (RFC 3875, 6):
 * a Status line, headers, the body. Pure. Every answer has the contract's three
 * security headers.
 */
#ifndef HOOKSPOOL_ANSWER_H
#define HOOKSPOOL_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"

#define ANSWER_BODY_MAX_BYTES     4096
#define ANSWER_RENDERED_MAX_BYTES (ANSWER_BODY_MAX_BYTES + 1024)

struct answer {
	int status;       /* HTTP status; 0: undecided, sent as 500 */
	const char *type; /* Content-Type; a constant */
	struct buf body;
	bool is_bodyless; /* to HEAD: the headers of a GET, no body */
};

/* Makes `answer` empty; free with answer_free. */
void answer_init(struct answer *answer);

/* Sets 200 with these bytes. `type` is a constant. */
void answer_ok(
    struct answer *answer, const char *type, const void *bytes, size_t len);

/* Sets a refusal with one line of plain text. `reason` is a sentence of ours,
 * not a stranger's. */
void answer_refuse(struct answer *answer, int status, const char *reason);

/* Writes the whole answer into `out`, which must have room for
 * ANSWER_RENDERED_MAX_BYTES. */
void answer_render(const struct answer *answer, struct buf *out);

/* NULL-safe, idempotent. */
void answer_free(struct answer *answer);

#endif
