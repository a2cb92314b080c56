/*
 * The cursor over checked texts: see json.h. Searches only for the ends of
 * values, and relies on json_check: on an unchecked text it would run past the
 * end.
 */
#include "config.h"

#include "json/json.h"

#include <string.h>

enum json_kind
json_kind_of(const char *text)
{
	switch (*text) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

/* Returns the place after the string whose opening quote is at `at`. */
static const char *
after_string(const char *at, const char *end)
{
	const char *slash;

	do {
		at = memchr(at + 1, '"', (size_t)(end - at - 1));
		for (slash = at; slash[-1] == '\\'; slash--)
			;
	} while ((at - slash) % 2 != 0);
	return at + 1;
}

/* Returns the place after the container that opens at `at`. */
static const char *
after_container(const char *at, const char *end)
{
	unsigned depth = 0;

	do {
		if (*at == '"') {
			at = after_string(at, end);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if (*at == '}' || *at == ']')
			depth--;
		at++;
	} while (depth > 0);
	return at;
}

static bool
is_between(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t' ||
	       byte == ',' || byte == ':';
}

/* Returns the place after the value at `at`. `end` is the closing bracket of
 * the container around the value. */
static const char *
after_value(const char *at, const char *end)
{
	switch (json_kind_of(at)) {
	case JSON_STRING:
		return after_string(at, end);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return after_container(at, end);
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
	case JSON_NUMBER:
		break;
	}
	while (at < end && !is_between(*at))
		at++;
	return at;
}

struct json_cursor
json_enter(const struct json_value *value)
{
	struct json_cursor none = {NULL, NULL, false};

	if (value->kind != JSON_ARRAY && value->kind != JSON_OBJECT)
		return none;
	return (struct json_cursor){
	    .at = value->text + 1,
	    .end = value->text + value->len - 1,
	    .is_object = value->kind == JSON_OBJECT,
	};
}

/* Takes the value at the cursor, and the separators after the value. */
static struct json_value
step(struct json_cursor *cursor)
{
	struct json_value value = {json_kind_of(cursor->at), cursor->at, 0};

	cursor->at = after_value(cursor->at, cursor->end);
	value.len = (size_t)(cursor->at - value.text);
	while (cursor->at < cursor->end && is_between(*cursor->at))
		cursor->at++;
	return value;
}

bool
json_next(struct json_cursor *cursor, struct json_value *key,
    struct json_value *member)
{
	while (cursor->at < cursor->end && is_between(*cursor->at))
		cursor->at++;
	if (cursor->at == cursor->end)
		return false;
	if (cursor->is_object)
		*key = step(cursor);
	*member = step(cursor);
	return true;
}
