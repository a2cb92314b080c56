/*
 * JSON for programs, written to stdout as it comes: valid whatever the texts
 * hold. A byte that is no UTF-8 becomes U+FFFD.
 */
#ifndef HOOKSPOOL_JSONOUT_H
#define HOOKSPOOL_JSONOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonout {
	bool needs_comma;
};

/* In each, `key` is the member's name, or NULL for an element of an array or
 * the document itself. `bracket` is { or [, and } or ] closes it. */
void jsonout_open(struct jsonout *out, const char *key, char bracket);
void jsonout_close(struct jsonout *out, char bracket);
/* NULL is null. */
void jsonout_text(struct jsonout *out, const char *key, const char *text);
void jsonout_bytes(
    struct jsonout *out, const char *key, const char *bytes, size_t len);
void jsonout_number(struct jsonout *out, const char *key, int64_t number);
/* null where it is 0: a time or status that there is not */
void jsonout_some(struct jsonout *out, const char *key, int64_t number);
void jsonout_bool(struct jsonout *out, const char *key, bool is_true);
void jsonout_base64(
    struct jsonout *out, const char *key, const void *bytes, size_t len);
/* The newline after a document. */
void jsonout_end(struct jsonout *out);

#endif
