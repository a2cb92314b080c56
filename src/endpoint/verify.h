/*
 * The verification request: decides whether a GET comes from the sender, and
 * the answer's body. Pure: reads only a query string. The caller decides what
 * to do without tokens, and sends the answer.
 */
#ifndef HOOKSPOOL_VERIFY_H
#define HOOKSPOOL_VERIFY_H

#include <stddef.h>

#include "base/buf.h"
#include "conf/conf.h"

#define CHALLENGE_MAX_BYTES 1024 /* after decoding */

struct verification {
	int status;           /* 200, 400 or 403 */
	const char *why;      /* a constant sentence; NULL with 200 */
	struct buf challenge; /* the body with 200; else empty */
};

/* Judges the `len` bytes at `query`, the URL's part after the `?` (NULL if
 * `len` is 0). Decodes percent-escapes and `+` in names and values, and ignores
 * other parameters. Judges the syntax before the token. The caller frees the
 * challenge with buf_free, whatever the status. */
void verify_query(const char *query, size_t len, const struct text_list *tokens,
    struct verification *out);

#endif
