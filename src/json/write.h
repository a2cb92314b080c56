/*
 * Writes JSON for programs to stdout directly. The output is valid for any
 * text: an invalid UTF-8 byte becomes U+FFFD.
 */
#ifndef HOOKSPOOL_JSON_WRITE_H
#define HOOKSPOOL_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonout {
	bool needs_comma;
};

/* `key` is the member's name, or NULL for an array's element and for the
 * document itself. `bracket` is { or [ to open, } or ] to close. */
void jsonout_open(struct jsonout *out, const char *key, char bracket);
void jsonout_close(struct jsonout *out, char bracket);
/* Writes a NULL text as null. */
void jsonout_text(struct jsonout *out, const char *key, const char *text);
void jsonout_bytes(
    struct jsonout *out, const char *key, const char *bytes, size_t len);
void jsonout_number(struct jsonout *out, const char *key, int64_t number);
/* Writes 0 as null: no time, no status. */
void jsonout_some(struct jsonout *out, const char *key, int64_t number);
void jsonout_bool(struct jsonout *out, const char *key, bool is_true);
void jsonout_base64(
    struct jsonout *out, const char *key, const void *bytes, size_t len);
/* Writes the newline after a document. */
void jsonout_end(struct jsonout *out);

#endif
