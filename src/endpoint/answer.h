/*
 * An answer to a request, and how it is written for FastCGI and CGI alike
 * (RFC 3875, 6): a Status line, headers, the body. Pure. Every answer has
 * the three security headers of the contract.
 */
#ifndef HOOKSPOOL_ANSWER_H
#define HOOKSPOOL_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"

#define ANSWER_BODY_MAX_BYTES     4096
#define ANSWER_RENDERED_MAX_BYTES (ANSWER_BODY_MAX_BYTES + 1024)

struct answer {
	int status;       /* HTTP status; 0: none was decided, which is sent
			     as 500 */
	const char *type; /* Content-Type; a constant */
	struct buf body;
	bool is_bodyless; /* to HEAD: headers as for GET, and no body */
};

/* Makes `answer` empty; answer_free ends it. */
void answer_init(struct answer *answer);

/* 200 with these bytes. `type` is a constant. */
void answer_ok(
    struct answer *answer, const char *type, const void *bytes, size_t len);

/* A refusal: one line of plain text. `reason` is a sentence of ours. */
void answer_refuse(struct answer *answer, int status, const char *reason);

/* Writes the whole answer into `out`, which has room for
 * ANSWER_RENDERED_MAX_BYTES. */
void answer_render(const struct answer *answer, struct buf *out);

/* NULL-safe, idempotent. */
void answer_free(struct answer *answer);

#endif
