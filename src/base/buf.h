/*
 * A growing byte buffer with a maximum. An append beyond the maximum adds
 * nothing and sets `is_truncated` for good, so a caller may append many times
 * and check once.
 */
#ifndef HOOKSPOOL_BUF_H
#define HOOKSPOOL_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;        /* owned; NUL after the last byte once non-NULL */
	size_t len;        /* bytes used, without the NUL */
	size_t cap;        /* bytes allocated */
	size_t max;        /* most bytes ever, without the NUL */
	bool is_truncated; /* an append did not fit */
};

/* Makes `buf` empty, to hold at most `max` bytes. Allocates nothing. */
void buf_init(struct buf *buf, size_t max);

/* Append. Return false, and append nothing, beyond the maximum. */
bool buf_add(struct buf *buf, const void *bytes, size_t len);
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reserves room for at least `len` more bytes at data + len. Returns NULL
 * beyond the maximum. The caller writes there and adds to `len`. */
char *buf_reserve(struct buf *buf, size_t len);

/* Returns the text so far, never NULL. Borrowed until the next append. */
const char *buf_text(const struct buf *buf);

/* Hands over the bytes, for the caller to free, and leaves the buffer empty. */
char *buf_take(struct buf *buf);

/* Empties the buffer; keeps its memory and its maximum. */
void buf_clear(struct buf *buf);

/* Frees the bytes. NULL-safe, idempotent. */
void buf_free(struct buf *buf);

#endif
