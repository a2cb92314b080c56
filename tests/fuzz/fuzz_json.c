/*
 * The checker and the cursor. Holds: what we accept, json-c accepts; what we
 * accept is refused at its end when cut short; the values that the cursor
 * gives are valid texts of the kind it says, and between them there is
 * nothing but separators.
 */
#include "config.h"

#include "fuzz.h"
#include "oracle.h"

static bool
is_gap(const char *from, const char *to)
{
	while (from < to && strchr(" \t\r\n,:", *from) != NULL)
		from++;
	return from == to;
}

static void
check_value(const struct json_value *value)
{
	struct json_value root;
	size_t offset;

	HOLDS(json_check(value->text, value->len, &root, &offset) == NULL);
	HOLDS(root.kind == value->kind);
	HOLDS(root.text == value->text && root.len == value->len);
}

/* The whole is its members, separators and two brackets; and so on inwards,
 * JSON_MAX_DEPTH deep at most. */
static void
walk(const struct json_value *whole)
{
	struct json_cursor at = json_enter(whole);
	struct json_value key = {JSON_NULL, NULL, 0}, member;
	const char *behind = whole->text + 1;

	check_value(whole);
	if (whole->kind != JSON_ARRAY && whole->kind != JSON_OBJECT) {
		HOLDS(!json_next(&at, &key, &member));
		return;
	}
	while (json_next(&at, &key, &member)) {
		if (whole->kind == JSON_OBJECT) {
			HOLDS(key.kind == JSON_STRING);
			HOLDS(is_gap(behind, key.text));
			check_value(&key);
			behind = key.text + key.len;
		}
		HOLDS(is_gap(behind, member.text));
		walk(&member);
		behind = member.text + member.len;
	}
	HOLDS(is_gap(behind, whole->text + whole->len - 1));
}

static void
check_cut(const char *text, const struct json_value *root)
{
	size_t len = (size_t)(root->text - text) + root->len - 1, offset;
	struct json_value cut;

	if (root->kind == JSON_NUMBER)
		return;
	HOLDS(json_check(text, len, &cut, &offset) != NULL);
	HOLDS(offset == len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *why;
	struct json_object *object = NULL;
	struct json_value root;
	size_t offset;

	why = json_check(text, size, &root, &offset);
	if (why != NULL) {
		HOLDS(offset <= size && *why != '\0');
		return 0;
	}
	HOLDS(is_gap(text, root.text));
	HOLDS(is_gap(root.text + root.len, text + size));
	walk(&root);
	check_cut(text, &root);
	HOLDS(oracle_parse(text, size, &object));
	json_object_put(object);
	return 0;
}
