/*
 * Units of src/json/check: what RFC 8259 allows, what it forbids and at which
 * byte we say so, and the two limits.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "repeat.h"

#define TEXT(literal) (literal), sizeof(literal) - 1

struct good {
	const char *text;
	size_t len;
	enum json_kind kind;
};

static const struct good good_texts[] = {
    {TEXT("null"), JSON_NULL},
    {TEXT("true"), JSON_TRUE},
    {TEXT("false"), JSON_FALSE},
    {TEXT(" \t\r\n null \t\r\n "), JSON_NULL},
    {TEXT("0"), JSON_NUMBER},
    {TEXT("-0"), JSON_NUMBER},
    {TEXT("7"), JSON_NUMBER},
    {TEXT("-12"), JSON_NUMBER},
    {TEXT("0.0"), JSON_NUMBER},
    {TEXT("-0.5"), JSON_NUMBER},
    {TEXT("10.250"), JSON_NUMBER},
    {TEXT("0e0"), JSON_NUMBER},
    {TEXT("1e5"), JSON_NUMBER},
    {TEXT("1E5"), JSON_NUMBER},
    {TEXT("1e+05"), JSON_NUMBER},
    {TEXT("1E-5"), JSON_NUMBER},
    {TEXT("1.5e+10"), JSON_NUMBER},
    {TEXT("1e999999"), JSON_NUMBER},
    {TEXT("-1e-999999"), JSON_NUMBER},
    {TEXT("18446744073709551616"), JSON_NUMBER},
    {TEXT("-99999999999999999999999999999999999999"), JSON_NUMBER},
    {TEXT("0.00000000000000000000000000000000000000001"), JSON_NUMBER},
    {TEXT("\"\""), JSON_STRING},
    {TEXT("\"a\""), JSON_STRING},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), JSON_STRING},
    {TEXT("\"\\u0000\\u001f\\uABCD\\uabcd\\uFfFf\""), JSON_STRING},
    {TEXT("\"\\ud83d\\ude00\""), JSON_STRING},
    {TEXT("\"\\ud800\""), JSON_STRING},
    {TEXT("\"\\udc00\\ud800\""), JSON_STRING},
    {TEXT("\"\\ud800\\ud800x\""), JSON_STRING},
    {TEXT("\" !#[]^_`{}~\x7f'/\""), JSON_STRING},
    {TEXT("\"\xC2\x80 \xDF\xBF\""), JSON_STRING},
    {TEXT("\"\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF\""),
	JSON_STRING},
    {TEXT("\"\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF\""), JSON_STRING},
    {TEXT("\"\xEF\xBB\xBF\""), JSON_STRING},
    {TEXT("\"\xE2\x80\xA8\xE2\x80\xA9\""), JSON_STRING},
    {TEXT("[]"), JSON_ARRAY},
    {TEXT("[ \n]"), JSON_ARRAY},
    {TEXT("[null]"), JSON_ARRAY},
    {TEXT("[1,2,3]"), JSON_ARRAY},
    {TEXT(" [ 1 , \"a\" , [ ] , { } , true ] "), JSON_ARRAY},
    {TEXT("[[[]],[[]]]"), JSON_ARRAY},
    {TEXT("[\"]\",\"\\\"]\"]"), JSON_ARRAY},
    {TEXT("{}"), JSON_OBJECT},
    {TEXT("{ \t}"), JSON_OBJECT},
    {TEXT("{\"\":0}"), JSON_OBJECT},
    {TEXT("{\"a\":1}"), JSON_OBJECT},
    {TEXT("{ \"a\" : 1 , \"b\" : [ ] }"), JSON_OBJECT},
    {TEXT("{\"a\":1,\"a\":2,\"a\":null}"), JSON_OBJECT},
    {TEXT("{\"a\\u0000b\":1}"), JSON_OBJECT},
    {TEXT("{\"a\":{\"b\":{\"c\":[{\"d\":{}}]}}}"), JSON_OBJECT},
    {TEXT("[{\"a\":[]},{}]\n"), JSON_ARRAY},
};

struct bad {
	const char *text;
	size_t len;
	size_t offset;
	const char *why; /* part of the sentence */
};

static const struct bad bad_texts[] = {
    /* nothing, or not all of it */
    {TEXT(""), 0, "ends too early"},
    {TEXT(" \n"), 2, "ends too early"},
    {TEXT("["), 1, "ends too early"},
    {TEXT("[ "), 2, "ends too early"},
    {TEXT("[1"), 2, "ends too early"},
    {TEXT("[1,"), 3, "ends too early"},
    {TEXT("[[]"), 3, "ends too early"},
    {TEXT("{"), 1, "ends too early"},
    {TEXT("{\"a"), 3, "ends too early"},
    {TEXT("{\"a\""), 4, "ends too early"},
    {TEXT("{\"a\" "), 5, "ends too early"},
    {TEXT("{\"a\":"), 5, "ends too early"},
    {TEXT("{\"a\":1"), 6, "ends too early"},
    {TEXT("{\"a\":1,"), 7, "ends too early"},
    {TEXT("\""), 1, "ends too early"},
    {TEXT("\"abc"), 4, "ends too early"},
    {TEXT("\"abc\\"), 5, "ends too early"},
    {TEXT("\"abc\\\""), 6, "ends too early"},
    {TEXT("\"\\u12"), 5, "ends too early"},
    {TEXT("-"), 1, "ends too early"},
    {TEXT("1."), 2, "ends too early"},
    {TEXT("1e"), 2, "ends too early"},
    {TEXT("1e+"), 3, "ends too early"},
    {TEXT("tru"), 3, "ends too early"},
    {TEXT("n"), 1, "ends too early"},
    /* too much of it */
    {TEXT("\xEF\xBB\xBF{}"), 0, "byte order mark"},
    {TEXT("{} {}"), 3, "follows the end"},
    {TEXT("{}x"), 2, "follows the end"},
    {TEXT("{\"a\":1}\0x"), 7, "follows the end"},
    {TEXT("{\"a\":1}\0"), 7, "follows the end"},
    {TEXT("1 2"), 2, "follows the end"},
    {TEXT("nullx"), 4, "follows the end"},
    {TEXT("[]]"), 2, "follows the end"},
    {TEXT("\"a\"\"b\""), 3, "follows the end"},
    {TEXT("{} // note"), 3, "follows the end"},
    {TEXT("{}\f"), 2, "follows the end"},
    /* separators */
    {TEXT("[1,]"), 3, "a value is missing"},
    {TEXT("[,1]"), 1, "a value is missing"},
    {TEXT("[1,,2]"), 3, "a value is missing"},
    {TEXT("[1 2]"), 3, "a comma or ] is missing"},
    {TEXT("[1:2]"), 2, "a comma or ] is missing"},
    {TEXT("[1}"), 2, "a comma or ] is missing"},
    {TEXT("[}"), 1, "a value is missing"},
    {TEXT("{]"), 1, "a member's name"},
    {TEXT("{\"a\":1]"), 6, "a comma or } is missing"},
    {TEXT("{\"a\":1 \"b\":2}"), 7, "a comma or } is missing"},
    {TEXT("{\"a\":1;\"b\":2}"), 6, "a comma or } is missing"},
    {TEXT("{\"a\":1,}"), 7, "a member's name"},
    {TEXT("{,\"a\":1}"), 1, "a member's name"},
    {TEXT("{\"a\":1,,\"b\":2}"), 7, "a member's name"},
    {TEXT("{a:1}"), 1, "a member's name"},
    {TEXT("{'a':1}"), 1, "a member's name"},
    {TEXT("{1:1}"), 1, "a member's name"},
    {TEXT("{\"a\"}"), 4, "a colon"},
    {TEXT("{\"a\" 1}"), 5, "a colon"},
    {TEXT("{\"a\",1}"), 4, "a colon"},
    {TEXT("{\"a\"=1}"), 4, "a colon"},
    {TEXT("{\"a\":}"), 5, "a value is missing"},
    {TEXT("{\"a\"::1}"), 5, "a value is missing"},
    {TEXT("]"), 0, "a value is missing"},
    {TEXT("}"), 0, "a value is missing"},
    {TEXT(","), 0, "a value is missing"},
    {TEXT("\0"), 0, "a value is missing"},
    {TEXT("\f1"), 0, "a value is missing"},
    {TEXT("\v1"), 0, "a value is missing"},
    {TEXT("\xC2\xA0"
	  "1"),
	0, "a value is missing"},
    {TEXT("abc"), 0, "not true, false or null"},
    {TEXT("(1)"), 0, "a value is missing"},
    /* numbers */
    {TEXT("01"), 1, "leading 0"},
    {TEXT("-01"), 2, "leading 0"},
    {TEXT("[00]"), 2, "leading 0"},
    {TEXT("[1.]"), 3, "lacks a digit"},
    {TEXT("[1.e5]"), 3, "lacks a digit"},
    {TEXT("[.5]"), 1, "begins with + or"},
    {TEXT("[-.5]"), 2, "lacks a digit"},
    {TEXT("[-]"), 2, "lacks a digit"},
    {TEXT("[--1]"), 2, "lacks a digit"},
    {TEXT("[- 1]"), 2, "lacks a digit"},
    {TEXT("[+1]"), 1, "begins with + or"},
    {TEXT("[1e]"), 3, "lacks a digit"},
    {TEXT("[1e+]"), 4, "lacks a digit"},
    {TEXT("[1e1.5]"), 4, "a comma or ] is missing"},
    {TEXT("[1.5.5]"), 4, "a comma or ] is missing"},
    {TEXT("[0x1F]"), 2, "a comma or ] is missing"},
    {TEXT("[1_000]"), 2, "a comma or ] is missing"},
    {TEXT("[NaN]"), 1, "not true, false or null"},
    {TEXT("[Infinity]"), 1, "not true, false or null"},
    {TEXT("[-Infinity]"), 2, "lacks a digit"},
    {TEXT("[-NaN]"), 2, "lacks a digit"},
    {TEXT("[nan]"), 2, "not true, false or null"},
    {TEXT("[inf]"), 1, "not true, false or null"},
    /* words */
    {TEXT("[True]"), 1, "not true, false or null"},
    {TEXT("[trUe]"), 3, "not true, false or null"},
    {TEXT("[NULL]"), 1, "not true, false or null"},
    {TEXT("[nul]"), 4, "not true, false or null"},
    {TEXT("[falsee]"), 6, "a comma or ] is missing"},
    {TEXT("[undefined]"), 1, "not true, false or null"},
    /* comments and quotes */
    {TEXT("/* note */ {}"), 0, "comment"},
    {TEXT("// note\n{}"), 0, "comment"},
    {TEXT("# note\n{}"), 0, "comment"},
    {TEXT("[1/* note */]"), 2, "a comma or ] is missing"},
    {TEXT("{/* note */\"a\":1}"), 1, "a member's name"},
    {TEXT("['a']"), 1, "single quotes"},
    /* strings */
    {TEXT("\"\n\""), 1, "control character"},
    {TEXT("\"a\tb\""), 2, "control character"},
    {TEXT("\"a\rb\""), 2, "control character"},
    {TEXT("\"a\0b\""), 2, "control character"},
    {TEXT("\"a\x1f\""), 2, "control character"},
    {TEXT("{\"a\nb\":1}"), 3, "control character"},
    {TEXT("\"\\x41\""), 2, "escape"},
    {TEXT("\"\\a\""), 2, "escape"},
    {TEXT("\"\\v\""), 2, "escape"},
    {TEXT("\"\\0\""), 2, "escape"},
    {TEXT("\"\\'\""), 2, "escape"},
    {TEXT("\"\\\0\""), 2, "escape"},
    {TEXT("\"\\\n\""), 2, "escape"},
    {TEXT("\"\\U0041\""), 2, "escape"},
    {TEXT("\"\\u004\""), 6, "escape"},
    {TEXT("\"\\u00g0\""), 5, "escape"},
    {TEXT("\"\\u+041\""), 3, "escape"},
    {TEXT("\"\\u{41}\""), 3, "escape"},
    /* UTF-8 */
    {TEXT("\"\x80\""), 1, "UTF-8"},
    {TEXT("\"a\xBF\""), 2, "UTF-8"},
    {TEXT("\"\xC0\x80\""), 1, "UTF-8"},
    {TEXT("\"\xC0\xAF\""), 1, "UTF-8"},
    {TEXT("\"\xC1\xBF\""), 1, "UTF-8"},
    {TEXT("\"\xC2\""), 1, "UTF-8"},
    {TEXT("\"\xC2"), 1, "UTF-8"},
    {TEXT("\"\xC2"
	  "a\""),
	1, "UTF-8"},
    {TEXT("\"\xC2\xC2\""), 1, "UTF-8"},
    {TEXT("\"\xE0\x80\x80\""), 1, "UTF-8"},
    {TEXT("\"\xE0\x9F\xBF\""), 1, "UTF-8"},
    {TEXT("\"\xE2\x82\""), 1, "UTF-8"},
    {TEXT("\"\xE2\x82"), 1, "UTF-8"},
    {TEXT("\"\xED\xA0\x80\""), 1, "UTF-8"},
    {TEXT("\"\xED\xBF\xBF\""), 1, "UTF-8"},
    {TEXT("\"\xED\xA0\xBD\xED\xB8\x80\""), 1, "UTF-8"},
    {TEXT("\"\xF0\x80\x80\x80\""), 1, "UTF-8"},
    {TEXT("\"\xF0\x8F\xBF\xBF\""), 1, "UTF-8"},
    {TEXT("\"\xF0\x9F\x98\""), 1, "UTF-8"},
    {TEXT("\"\xF4\x90\x80\x80\""), 1, "UTF-8"},
    {TEXT("\"\xF5\x80\x80\x80\""), 1, "UTF-8"},
    {TEXT("\"\xFE\""), 1, "UTF-8"},
    {TEXT("\"\xFF\""), 1, "UTF-8"},
    {TEXT("{\"\xE4\":1}"), 2, "UTF-8"},
    {TEXT("[1]\x00\x00"), 3, "follows the end"},
    {TEXT("[\x00"
	  "1]"),
	1, "a value is missing"},
    /* UTF-16 */
    {TEXT("{\0}\0"), 1, "a member's name"},
    {TEXT("\xFF\xFE{\0}\0"), 0, "a value is missing"},
};

/* Judges a copy that ends where its memory ends, so that a read beyond it is
 * seen by the sanitizers and valgrind. */
static const char *
check_copy(const char *text, size_t len, enum json_kind *kind, size_t *offset)
{
	char *copy = malloc(len > 0 ? len : 1);
	struct json_value root;
	const char *why;

	assert_non_null(copy);
	memcpy(copy, text, len);
	why = json_check(copy, len, &root, offset);
	if (why == NULL)
		*kind = root.kind;
	free(copy);
	return why;
}

static void
what_rfc_8259_allows_is_accepted(void **state)
{
	enum json_kind kind = JSON_NULL;
	const struct good *row;
	const char *why;
	size_t i, offset;

	(void)state;
	for (i = 0; i < sizeof good_texts / sizeof good_texts[0]; i++) {
		row = &good_texts[i];
		why = check_copy(row->text, row->len, &kind, &offset);
		if (why != NULL || kind != row->kind)
			fail_msg(
			    "%s: %s", row->text, why != NULL ? why : "kind");
	}
}

static void
what_rfc_8259_forbids_is_refused_at_its_byte_with_its_reason(void **state)
{
	enum json_kind kind;
	const struct bad *row;
	const char *why;
	size_t i, offset;

	(void)state;
	for (i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
		row = &bad_texts[i];
		why = check_copy(row->text, row->len, &kind, &offset);
		if (why == NULL)
			fail_msg("row %zu, accepted: %s", i, row->text);
		if (strstr(why, row->why) == NULL || offset != row->offset)
			fail_msg("row %zu, %s: %s at %zu, not %s at %zu", i,
			    row->text, why, offset, row->why, row->offset);
	}
}

static void
every_beginning_of_a_text_is_refused_at_its_end(void **state)
{
	static const char text[] =
	    "{\"a\":[1.5e+3,true,false,null,\"\\u00e9\\n\",{\"b\":{}}]}";
	enum json_kind kind;
	size_t len, offset;

	(void)state;
	for (len = 0; len < sizeof text - 1; len++) {
		assert_non_null(check_copy(text, len, &kind, &offset));
		assert_int_equal(offset, len);
	}
	assert_null(check_copy(text, len, &kind, &offset));
}

static void
check_repeated(const char *head, const char *unit, size_t count,
    const char *tail, const char *expected)
{
	char *text = repeat_dup(head, unit, count, tail);
	struct json_value root;
	const char *why;
	size_t offset;

	why = json_check(text, strlen(text), &root, &offset);
	if (expected == NULL && why != NULL)
		fail_msg("%zu of %s: %s", count, unit, why);
	if (expected != NULL && (why == NULL || strstr(why, expected) == NULL))
		fail_msg("%zu of %s: %s", count, unit, why ? why : "accepted");
	free(text);
}

static void
sixty_four_levels_are_accepted_and_one_more_is_not(void **state)
{
	char *closing = repeat_dup("", "]", JSON_MAX_DEPTH, "");
	char *braces = repeat_dup("1", "}", JSON_MAX_DEPTH, "");

	(void)state;
	check_repeated("", "[", JSON_MAX_DEPTH, closing, NULL);
	check_repeated("", "{\"a\":", JSON_MAX_DEPTH, braces, NULL);
	check_repeated("[", "[", JSON_MAX_DEPTH, closing, "64 levels");
	check_repeated("", "[", JSON_MAX_DEPTH, "{}", "64 levels");
	check_repeated("", "{\"a\":", JSON_MAX_DEPTH, "[]", "64 levels");
	check_repeated("", "[", 1000000, "", "64 levels");
	/* What was closed does not count, and what kind is open is known
	 * again after it. */
	check_repeated("[", "[[],{\"a\":[{}]}],", 1000, "{}]", NULL);
	check_repeated("[", "[{}},", 1, "1]", "a comma or ] is missing");
	check_repeated("{\"a\":", "{\"b\":[]},", 1, "1}", "a member's name");
	free(closing);
	free(braces);
}

static void
fifty_thousand_values_are_accepted_and_one_more_is_not(void **state)
{
	(void)state;
	check_repeated("[", "0,", JSON_MAX_VALUES - 2, "0]", NULL);
	check_repeated("[", "0,", JSON_MAX_VALUES - 1, "0]", "50,000");
	check_repeated("[", "{},", JSON_MAX_VALUES - 2, "[]]", NULL);
	check_repeated("[", "{},", JSON_MAX_VALUES - 1, "[]]", "50,000");
	check_repeated("{", "\"\":1,", JSON_MAX_VALUES - 2, "\"\":1}", NULL);
	check_repeated(
	    "{", "\"\":1,", JSON_MAX_VALUES - 1, "\"\":1}", "50,000");
	check_repeated("[", "{},", 349520, "{}]", "50,000");
}

static void
a_long_string_is_one_value(void **state)
{
	(void)state;
	check_repeated(
	    "\"", "\\u00e9\xC3\xA9 and more of it", 40000, "\"", NULL);
	check_repeated("", "9", 1000000, "", NULL);
	check_repeated("", " ", 1000000, "1", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_rfc_8259_allows_is_accepted),
	    cmocka_unit_test(
		what_rfc_8259_forbids_is_refused_at_its_byte_with_its_reason),
	    cmocka_unit_test(every_beginning_of_a_text_is_refused_at_its_end),
	    cmocka_unit_test(
		sixty_four_levels_are_accepted_and_one_more_is_not),
	    cmocka_unit_test(
		fifty_thousand_values_are_accepted_and_one_more_is_not),
	    cmocka_unit_test(a_long_string_is_one_value),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
