/*
 * Decodes JSON's escapes (RFC 8259, 7) in any text, valid JSON or not. Pure.
 */
#ifndef HOOKSPOOL_ESCAPE_H
#define HOOKSPOOL_ESCAPE_H

#include <stddef.h>

struct buf;

/* Takes one escape, or one byte, from a text before its end, and moves `at`
 * past it. Returns the number of UTF-8 bytes in `out`, at least one. Half a
 * surrogate pair and U+0000 become U+FFFD, as in event.h. A backslash that
 * begins no valid escape stands for itself. */
size_t escape_take(const char **at, const char *end, char out[4]);

/* Appends the text with escapes decoded. The result is never longer than the
 * text. */
void escape_add_decoded(struct buf *out, const char *text, size_t len);

#endif
