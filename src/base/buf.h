/*
 * A growing run of bytes that knows its maximum. Appending beyond the
 * maximum is refused whole, and the buffer then says so for good, so that
 * a caller may append many times and look once.
 */
#ifndef HOOKSPOOL_BUF_H
#define HOOKSPOOL_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;        /* owned; NUL after the last byte once non-NULL */
	size_t len;        /* bytes used, without the NUL */
	size_t cap;        /* bytes allocated */
	size_t max;        /* bytes it may ever hold, without the NUL */
	bool is_truncated; /* something did not fit and was left out */
};

/* Makes `buf` empty, to hold at most `max` bytes. Allocates nothing. */
void buf_init(struct buf *buf, size_t max);

/* Appends; false, and nothing appended, if it would exceed the maximum. */
bool buf_add(struct buf *buf, const void *bytes, size_t len);
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for at least `len` more bytes, to be written at data + len; NULL if
 * that would exceed the maximum. The caller then adds to `len` itself. */
char *buf_reserve(struct buf *buf, size_t len);

/* The text so far: never NULL. Borrowed until the next append. */
const char *buf_text(const struct buf *buf);

/* Hands the bytes over; the caller frees them. The buffer is empty then. */
char *buf_take(struct buf *buf);

/* Empties the buffer; keeps its memory and its maximum. */
void buf_clear(struct buf *buf);

/* Frees what it holds. NULL-safe, idempotent. */
void buf_free(struct buf *buf);

#endif
