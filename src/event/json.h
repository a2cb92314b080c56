/*
 * A strict checker of RFC 8259 texts, and a cursor over texts it has passed.
 * It allocates nothing and builds nothing: a body of a stranger is judged
 * here before anything else reads it. What it passes is UTF-8 without BOM,
 * one value, no comment, no trailing comma or bytes.
 */
#ifndef HOOKSPOOL_JSON_H
#define HOOKSPOOL_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Arrays and objects open at once; and values of any type, the outermost one
 * included (names of members are no values). */
#define JSON_MAX_DEPTH  64
#define JSON_MAX_VALUES 50000

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/* A value inside a checked text; borrowed from it. */
struct json_value {
	enum json_kind kind;
	const char *text; /* its first byte: a string's opening quote */
	size_t len;       /* to its last byte: a string's closing quote */
};

/* NULL if the `len` bytes at `text` are one valid JSON text within the two
 * limits, and then `root` is it. Else a constant sentence that says why, and
 * `offset` is the byte at which it went wrong. */
const char *json_check(
    const char *text, size_t len, struct json_value *root, size_t *offset);

/* The kind of the value that begins at `text`. */
enum json_kind json_kind_of(const char *text);

/* Walks the members of a checked object or the elements of a checked array:
 *     struct json_cursor at = json_enter(&value);
 *     while (json_next(&at, &key, &member)) ...
 * `key` is the member's name, a JSON_STRING as sent with its quotes and
 * escapes; for an array it is left alone and may be NULL. A value of any
 * other type has no members. */
struct json_cursor {
	const char *at;
	const char *end;
	bool is_object;
};

struct json_cursor json_enter(const struct json_value *value);
bool json_next(struct json_cursor *cursor, struct json_value *key,
    struct json_value *member);

#endif
