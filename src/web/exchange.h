/*
 * One HTTP request in the form that the checks use, from FastCGI (gateway.h),
 * plain CGI (cgi.h) or a unit test.
 */
#ifndef HOOKSPOOL_EXCHANGE_H
#define HOOKSPOOL_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum body_end {
	BODY_BROKEN, /* the connection broke, or the read was interrupted */
	BODY_LATE,   /* the deadline passed before the end */
	BODY_MORE,   /* the buffer is full, and more bytes follow */
	BODY_WHOLE   /* the buffer holds the whole body */
};

struct exchange {
	/* Returns a variable of the request (RFC 3875, 4.1), borrowed until the
	 * answer is sent; NULL if unset. */
	const char *(*variable)(struct exchange *exchange, const char *name);

	/* Appends to `body`, up to its maximum, until `deadline_ms`
	 * (clock_mono_ms). Call once. Where a server need not mark the end (CGI
	 * with a Content-Length), does not wait for the end after the maximum
	 * was read. */
	enum body_end (*read_body)(
	    struct exchange *exchange, struct buf *body, int64_t deadline_ms);

	/* A request without Content-Length can have a body with a marked
	 * end. */
	bool marks_end;
};

#endif
