/*
 * One HTTP request as the checks see it, whichever way it came: FastCGI
 * (gateway.h), plain CGI (cgi.h), or a unit test.
 */
#ifndef HOOKSPOOL_EXCHANGE_H
#define HOOKSPOOL_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum body_end {
	BODY_BROKEN, /* the connection broke, or the read was interrupted */
	BODY_LATE,   /* the deadline passed before the end */
	BODY_MORE,   /* the buffer's maximum was read, and there is more */
	BODY_WHOLE   /* all of it is in the buffer */
};

struct exchange {
	/* A variable of the request (RFC 3875, 4.1), borrowed until the
	 * answer is sent; NULL if it is unset. */
	const char *(*variable)(struct exchange *exchange, const char *name);

	/* Appends the body to `body`, to its maximum and no further, until
	 * `deadline_ms` (clock_mono_ms). To be called once. Where a server
	 * need not mark the end (CGI with a Content-Length), no end is waited
	 * for once the maximum is read. */
	enum body_end (*read_body)(
	    struct exchange *exchange, struct buf *body, int64_t deadline_ms);

	/* Whether a request without a Content-Length can have a body whose
	 * end is marked. */
	bool marks_end;
};

#endif
