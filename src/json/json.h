/*
 * A strict checker of RFC 8259 texts, and a cursor over checked texts.
 * Allocates and builds nothing, because every stranger's body passes here
 * before any other reader. A passed text is UTF-8 without BOM and one value,
 * without comments, trailing commas or trailing bytes.
 */
#ifndef HOOKSPOOL_JSON_H
#define HOOKSPOOL_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Limits: arrays and objects open at once; and values of any type, the
 * outermost included (names of members are not counted). */
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

/* A value inside a checked text; borrowed from the text. */
struct json_value {
	enum json_kind kind;
	const char *text; /* from its first byte: a string's opening quote */
	size_t len;       /* to its last byte: a string's closing quote */
};

/* Checks the `len` bytes at `text` as one JSON text within both limits. Returns
 * NULL and sets `root`, or returns a constant sentence and sets `offset` to the
 * byte with the error. */
const char *json_check(
    const char *text, size_t len, struct json_value *root, size_t *offset);

/* Returns the kind of the value that begins at `text`. */
enum json_kind json_kind_of(const char *text);

/* Walks the members of a checked object or the elements of a checked array:
 *     struct json_cursor at = json_enter(&value);
 *     while (json_next(&at, &key, &member)) ...
 * `key` is the member's name, a JSON_STRING as sent, with quotes and escapes.
 * For an array, `key` is left alone and may be NULL. A value of another type
 * has no members. */
struct json_cursor {
	const char *at;
	const char *end;
	bool is_object;
};

struct json_cursor json_enter(const struct json_value *value);
bool json_next(struct json_cursor *cursor, struct json_value *key,
    struct json_value *member);

#endif
