/*
 * The line parser: what a line may be, and what it may not.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "conf/ini.h"

static struct ini_line line;

static const char *
read_text(const char *text)
{
	return ini_read(&line, text, strlen(text));
}

static void
blank_lines_and_comments_say_nothing(void **state)
{
	static const char *const texts[] = {
	    "", "  \t ", "\r", "# a = b", "  ; [x", "#"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_null(read_text(texts[i]));
		assert_int_equal(line.kind, INI_NOTHING);
	}
}

static void
a_section_has_a_word_and_perhaps_a_name(void **state)
{
	(void)state;
	assert_null(read_text("  [ endpoint ]\t\r"));
	assert_int_equal(line.kind, INI_SECTION);
	assert_string_equal(line.key, "endpoint");
	assert_string_equal(line.value, "");
	assert_null(read_text("[destination \t my crm ]"));
	assert_string_equal(line.key, "destination");
	assert_string_equal(line.value, "my crm");
	assert_non_null(read_text("[endpoint"));
	assert_non_null(read_text("["));
	assert_non_null(read_text("[]"));
	assert_non_null(read_text("[ ]"));
	assert_non_null(read_text("[end=point]"));
	assert_non_null(read_text("[endpoint] # comment"));
}

static void
a_value_is_the_rest_of_its_line_byte_for_byte(void **state)
{
	(void)state;
	assert_null(
	    read_text("\theader  =  Cookie: a=1 ; b=\"2\" # 3\xc3\xa9 "));
	assert_int_equal(line.kind, INI_KEY);
	assert_string_equal(line.key, "header");
	assert_string_equal(line.value, "Cookie: a=1 ; b=\"2\" # 3\xc3\xa9");
	assert_null(read_text("to="));
	assert_string_equal(line.key, "to");
	assert_string_equal(line.value, "");
	assert_null(read_text("to =\ta\tb\r"));
	assert_string_equal(line.value, "a\tb");
}

static void
what_is_no_line_is_refused_with_a_reason(void **state)
{
	static const char *const texts[] = {"threads", "= 3", "a b = 3",
	    "a.b = 3", "k\xc3\xb6 = 3", "a = \x1b[2J", "a = b\x7f", "a\r = b",
	    "\xef\xbb\xbf[endpoint]"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_non_null(read_text(texts[i]));
		assert_int_equal(line.kind, INI_NOTHING);
	}
	assert_non_null(ini_read(&line, "a = b\0c", 7));
	assert_non_null(strstr(ini_read(&line, "\0", 1), "NUL"));
}

static void
a_line_may_have_8192_bytes_and_not_one_more(void **state)
{
	char *text = malloc(INI_LINE_MAX_BYTES + 1);

	(void)state;
	assert_non_null(text);
	memset(text, 'v', INI_LINE_MAX_BYTES + 1);
	memcpy(text, "k=", 2);
	assert_null(ini_read(&line, text, INI_LINE_MAX_BYTES));
	assert_int_equal(strlen(line.value), INI_LINE_MAX_BYTES - 2);
	assert_non_null(ini_read(&line, text, INI_LINE_MAX_BYTES + 1));
	assert_int_equal(line.kind, INI_NOTHING);
	free(text);
}

static int
free_line(void **state)
{
	(void)state;
	ini_free(&line);
	ini_free(&line);
	ini_free(NULL);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blank_lines_and_comments_say_nothing),
	    cmocka_unit_test(a_section_has_a_word_and_perhaps_a_name),
	    cmocka_unit_test(a_value_is_the_rest_of_its_line_byte_for_byte),
	    cmocka_unit_test(what_is_no_line_is_refused_with_a_reason),
	    cmocka_unit_test(a_line_may_have_8192_bytes_and_not_one_more),
	};

	return cmocka_run_group_tests_name("ini", tests, NULL, free_line);
}
