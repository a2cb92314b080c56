/*
 * The verification request: whether a GET is the sender's, and what it is
 * answered. Pure: reads a query string and decides; whether there are tokens
 * to compare with at all, and the answer itself, are the caller's matter.
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
	struct buf challenge; /* with 200 the body to send; else empty */
};

/* Judges the `len` bytes at `query` (NULL if `len` is 0), the part of the URL
 * after the `?`. Names and values are percent-decoded, `+` is a space, other
 * parameters are ignored. The syntax is judged before the token. The caller
 * frees the challenge with buf_free, whatever the status. */
void verify_query(const char *query, size_t len, const struct text_list *tokens,
    struct verification *out);

#endif
