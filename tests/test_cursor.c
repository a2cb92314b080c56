/*
 * Units of src/event/cursor: members and elements, each as it was sent.
 */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "json/json.h"

static struct json_value
checked(const char *text)
{
	struct json_value root;
	size_t offset;

	assert_null(json_check(text, strlen(text), &root, &offset));
	return root;
}

static void
assert_text(
    const struct json_value *value, enum json_kind kind, const char *expected)
{
	assert_int_equal(value->kind, kind);
	assert_int_equal(value->len, strlen(expected));
	assert_memory_equal(value->text, expected, value->len);
}

static void
the_cursor_walks_the_members_of_an_object_as_sent(void **state)
{
	struct json_value root, key, member;
	struct json_cursor at;

	(void)state;
	root = checked(" { \"a\" : \"x,\\\"}\\\\\" ,\n\"b\\u0041\":[1,[2],{}],"
		       "\"\":{\"]\":\"[\"} , \"c\":-1.5e3,\"c\":null} ");
	at = json_enter(&root);
	assert_true(json_next(&at, &key, &member));
	assert_text(&key, JSON_STRING, "\"a\"");
	assert_text(&member, JSON_STRING, "\"x,\\\"}\\\\\"");
	assert_true(json_next(&at, &key, &member));
	assert_text(&key, JSON_STRING, "\"b\\u0041\"");
	assert_text(&member, JSON_ARRAY, "[1,[2],{}]");
	assert_true(json_next(&at, &key, &member));
	assert_text(&key, JSON_STRING, "\"\"");
	assert_text(&member, JSON_OBJECT, "{\"]\":\"[\"}");
	assert_true(json_next(&at, &key, &member));
	assert_text(&key, JSON_STRING, "\"c\"");
	assert_text(&member, JSON_NUMBER, "-1.5e3");
	assert_true(json_next(&at, &key, &member));
	assert_text(&member, JSON_NULL, "null");
	assert_false(json_next(&at, &key, &member));
	assert_false(json_next(&at, &key, &member));
}

static void
the_cursor_walks_the_elements_of_an_array(void **state)
{
	static const char *const elements[] = {
	    "true", "false", "0", "\"\\\\\"", "[]", "{}", "[ [ ] ]"};
	static const enum json_kind kinds[] = {JSON_TRUE, JSON_FALSE,
	    JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT, JSON_ARRAY};
	struct json_value root, member;
	struct json_cursor at;
	size_t i;

	(void)state;
	root = checked("[true,false , 0\t,\"\\\\\",[],{}\n,[ [ ] ] ]");
	at = json_enter(&root);
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		assert_true(json_next(&at, NULL, &member));
		assert_text(&member, kinds[i], elements[i]);
	}
	assert_false(json_next(&at, NULL, &member));
}

static void
what_is_no_container_or_empty_has_no_members(void **state)
{
	static const char *const texts[] = {
	    "null", "true", "12", "\"[1]\"", "[]", "{}", "[ ]", "{\n}"};
	struct json_value root, key, member;
	struct json_cursor at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		root = checked(texts[i]);
		at = json_enter(&root);
		assert_false(json_next(&at, &key, &member));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_cursor_walks_the_members_of_an_object_as_sent),
	    cmocka_unit_test(the_cursor_walks_the_elements_of_an_array),
	    cmocka_unit_test(what_is_no_container_or_empty_has_no_members),
	};

	return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
