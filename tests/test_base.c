/*
 * Units of src/base: buffers that know their maximum, times, ids, log lines.
 */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/log.h"
#include "base/uuid.h"

static void
a_buffer_refuses_what_exceeds_its_maximum_and_says_so(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 5);
	assert_string_equal(buf_text(&buf), "");
	assert_true(buf_add_text(&buf, "abc"));
	assert_false(buf_add_text(&buf, "def"));
	assert_true(buf.is_truncated);
	assert_true(buf_add_text(&buf, "de"));
	assert_string_equal(buf_text(&buf), "abcde");
	assert_null(buf_reserve(&buf, 1));
	assert_null(buf_reserve(&buf, SIZE_MAX));
	buf_clear(&buf);
	assert_false(buf.is_truncated);
	assert_true(buf_add(&buf, "a\0b", 3));
	assert_memory_equal(buf.data, "a\0b", 4);
	buf_free(&buf);
	buf_free(&buf);
}

static void
a_time_is_written_in_utc_with_milliseconds(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_format(0, text), "1970-01-01T00:00:00.000Z");
	assert_string_equal(
	    clock_format(1576566188318, text), "2019-12-17T07:03:08.318Z");
	assert_string_equal(clock_format(-1, text), "1969-12-31T23:59:59.999Z");
}

static void
an_id_is_a_version_7_uuid_that_sorts_by_time(void **state)
{
	char early[UUID_TEXT_SIZE], late[UUID_TEXT_SIZE];
	size_t i;

	(void)state;
	uuid_make(0x018bcfe56800, early);
	uuid_make(0x018bcfe56801, late);
	assert_int_equal(strlen(early), 36);
	assert_memory_equal(early, "018bcfe5-6800-7", 15);
	assert_non_null(strchr("89ab", early[19]));
	assert_true(strcmp(early, late) < 0);
	for (i = 0; i < 36; i++)
		assert_non_null(strchr("0123456789abcdef-", early[i]));
}

static char logged[8192];

static bool
catch_line(void *arg, const char *line)
{
	(void)arg;
	snprintf(logged, sizeof logged, "%s", line);
	return true;
}

static void
a_log_line_holds_no_raw_byte_of_a_stranger(void **state)
{
	(void)state;
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
	log_set_sink(catch_line, NULL);
	log_note(LOG_LEVEL_WARN, "said", LOG_TEXT("a", "plain"),
	    LOG_TEXT("b", "two words"), LOG_TEXT("c", "\x1b[2J\n\"\\\xc3\xa9"),
	    LOG_TEXT("d", ""), LOG_NUMBER("e", -7));
	assert_string_equal(logged,
	    "warning: said a=plain b=\"two words\" "
	    "c=\"\\u001b[2J\\u000a\\\"\\\\\\u00c3\\u00a9\" d=\"\" e=-7");
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_JSON);
	log_note(
	    LOG_LEVEL_INFO, "said", LOG_TEXT("a", "x\ny"), LOG_NUMBER("n", 3));
	assert_non_null(strstr(logged,
	    "\"program\":\"test\",\"level\":\"info\",\"message\":\"said\","
	    "\"a\":\"x\\u000ay\",\"n\":3}"));
	log_set_sink(NULL, NULL);
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
}

static void
lines_beyond_the_level_are_not_written(void **state)
{
	(void)state;
	log_set_sink(catch_line, NULL);
	log_set_level(LOG_LEVEL_NOTICE);
	log_plain(LOG_LEVEL_NOTICE, "changed");
	log_plain(LOG_LEVEL_INFO, "one of many");
	assert_string_equal(logged, "changed");
	log_set_level(LOG_LEVEL_ERROR);
	log_plain(LOG_LEVEL_ERROR, "bad");
	log_plain(LOG_LEVEL_WARN, "not so bad");
	assert_string_equal(logged, "error: bad");
	log_set_level(LOG_LEVEL_INFO);
	log_plain(LOG_LEVEL_INFO, "one of many");
	assert_string_equal(logged, "one of many");
	log_set_sink(NULL, NULL);
}

static void
a_long_value_is_cut_in_the_log(void **state)
{
	char value[5000];

	(void)state;
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	log_set_sink(catch_line, NULL);
	log_note(LOG_LEVEL_INFO, "said", LOG_TEXT("a", value));
	assert_true(strlen(logged) < 600);
	assert_non_null(strstr(logged, "vvv...\""));
	log_set_sink(NULL, NULL);
}

/* As sha256sum(1) has them, for so many letters a. */
static void
a_fingerprint_is_the_beginning_of_the_sha_256(void **state)
{
	static const struct {
		size_t len;
		const char *digits;
	} known[] = {{0, "e3b0c442"}, {1, "ca978112"}, {55, "9f4390f8"},
	    {56, "b35439a4"}, {63, "7d3e74a0"}, {64, "ffe054fe"},
	    {65, "635361c4"}, {119, "31eba51c"}, {120, "2f3d3354"},
	    {128, "6836cf13"}, {200, "c2a908d9"}};
	char text[FINGERPRINT_SIZE], secret[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof known / sizeof known[0]; i++) {
		memset(secret, 'a', known[i].len);
		secret[known[i].len] = '\0';
		assert_string_equal(
		    fingerprint_make(secret, text), known[i].digits);
	}
	assert_string_equal(fingerprint_make("abc", text), "ba7816bf");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_buffer_refuses_what_exceeds_its_maximum_and_says_so),
	    cmocka_unit_test(a_time_is_written_in_utc_with_milliseconds),
	    cmocka_unit_test(an_id_is_a_version_7_uuid_that_sorts_by_time),
	    cmocka_unit_test(a_log_line_holds_no_raw_byte_of_a_stranger),
	    cmocka_unit_test(lines_beyond_the_level_are_not_written),
	    cmocka_unit_test(a_long_value_is_cut_in_the_log),
	    cmocka_unit_test(a_fingerprint_is_the_beginning_of_the_sha_256),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
