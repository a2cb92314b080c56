/*
 * JSON's escapes (RFC 8259, 7), decoded whatever text they stand in. Pure.
 */
#ifndef HOOKSPOOL_ESCAPE_H
#define HOOKSPOOL_ESCAPE_H

#include <stddef.h>

struct buf;

/* Takes an escape, or one byte, from a text that is not at its end, and moves
 * `at` past it: how many bytes of UTF-8 are in `out`, one at least. Half of a
 * surrogate pair and U+0000 become U+FFFD, as in event.h. A backslash that
 * escapes nothing stands for itself. */
size_t escape_take(const char **at, const char *end, char out[4]);

/* Appends the text with its escapes decoded, which is never longer. */
void escape_add_decoded(struct buf *out, const char *text, size_t len);

#endif
