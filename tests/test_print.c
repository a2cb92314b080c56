/*
 * What people read and type at the command: times, spans, sizes, and the
 * texts of strangers made safe.
 */
#include "config.h"

#include "unit.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command/print.h"
#include "command/when.h"

#define NOW_MS INT64_C(1700000000000)
#define TEN_MS INT64_C(1136196000000) /* 2006-01-02T10:00:00Z */

static struct buf buf;

static void
read_as(const char *text, int64_t wanted)
{
	int64_t got = -1;
	const char *why = when_read(text, NOW_MS, &got);

	if (why != NULL || got != wanted)
		print_error("%s: %lld, %s\n", text, (long long)got,
		    why != NULL ? why : "taken");
	assert_null(why);
	assert_int_equal(got, wanted);
}

static void
a_duration_is_a_time_before_now(void **state)
{
	(void)state;
	read_as("90s", NOW_MS - 90000);
	read_as("2h", NOW_MS - 7200000);
	read_as("7d", NOW_MS - 7 * INT64_C(86400000));
	read_as("0", NOW_MS);
	read_as("1h30m", NOW_MS - 5400000);
	read_as("1d2h3m4s", NOW_MS - 93784000);
	read_as("2h 3m", NOW_MS - 7380000);
	read_as("19675d", NOW_MS - 19675 * INT64_C(86400000));
}

static void
a_date_is_in_local_time_unless_it_says_its_zone(void **state)
{
	(void)state;
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	read_as("2006-01-02T10:00Z", TEN_MS);
	read_as("2006-01-02 10:00:07Z", TEN_MS + 7000);
	read_as("2006-01-02T11:00+01:00", TEN_MS);
	read_as("2006-01-02T11:00+0100", TEN_MS);
	read_as("2006-01-02T04:30-05:30", TEN_MS);
	read_as("2006-01-02T05:00", TEN_MS);
	read_as("2006-01-02", TEN_MS - 5 * 3600000);
	read_as("2006-07-02T06:00", TEN_MS + 181 * INT64_C(86400000));
}

static void
what_the_command_prints_is_a_time(void **state)
{
	struct buf printed;

	(void)state;
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	read_as("1136196000000", TEN_MS);
	read_as("0000000000000", 0);
	read_as("2006-01-02T10:00:00.000Z", TEN_MS);
	read_as("2006-01-02T10:00:00.25Z", TEN_MS + 250);
	read_as("2006-01-02 10:00:00.1239999+00:00", TEN_MS + 123);
	read_as("2006-01-02 10:00:00 UTC", TEN_MS);
	read_as("2006-01-02 05:00:00 EST", TEN_MS);
	read_as("2006-10-29 01:30:00 EDT", INT64_C(1162099800000));
	read_as("2006-11-05 01:30:00 EST", INT64_C(1162708200000));
	buf_init(&printed, 64);
	print_add_time(&printed, TEN_MS);
	read_as(buf_text(&printed), TEN_MS);
	buf_free(&printed);
}

static void
a_day_begins_at_the_local_midnight(void **state)
{
	(void)state;
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	/* NOW_MS is 2023-11-14 17:13:20 there. */
	read_as("today", INT64_C(1699938000000));
	read_as("yesterday", INT64_C(1699938000000) - 86400000);
}

static void
refuse_as(const char *text, const char *said)
{
	int64_t at = 0;
	const char *why = when_read(text, NOW_MS, &at);

	if (why == NULL || strstr(why, said) == NULL)
		print_error("%s: %s\n", text, why != NULL ? why : "taken");
	assert_non_null(why);
	assert_non_null(strstr(why, said));
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = {"", "now", "2x", "-2h", "h",
	    "30m1h", "1h1h", "1h30", "1h30m ", "1.5h", " 2h", "Today", "todays",
	    "2006-13-01", "2006-00-01", "2006-1-2", "2006-01-02T",
	    "2006-01-02T25:00", "2006-01-02T24:00", "2006-01-02T10",
	    "2006-01-02T10:00x", "2006-01-02T10:00+1", "2006-01-02T10:00+01:99",
	    "2006-01-02T10:00+01:00x", "2006-01-02T10:00:99",
	    "2006-01-02T10:00:00.", "2006-01-02T10:00:00.1234567890",
	    "2006-01-02 10:00:00 XYZ", "2006-01-02 10:00:00 ", "2006-01-02ZZ",
	    "2006-01-02 10:00:00 EDT", "0x10", "1e9"};
	size_t i;

	(void)state;
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		refuse_as(texts[i], "write 2h");
	refuse_as("2006-02-31", "no such day");
	refuse_as("2", "has no unit");
	refuse_as("2006", "has no unit");
	refuse_as("1136196000", "has no unit");
	refuse_as("11361960000000", "has no unit");
}

/* Year 26 once meant everything. */
static void
no_time_is_before_1970(void **state)
{
	(void)state;
	setenv("TZ", "CET-1", 1);
	tzset();
	refuse_as("26-12-24", "four digits");
	refuse_as("02006-01-02", "four digits");
	refuse_as("0026-12-24", "before 1970");
	refuse_as("1969-12-31", "before 1970");
	refuse_as("1970-01-01", "before 1970");
	refuse_as("1970-01-01T01:00+02:00", "before 1970");
	refuse_as("99999d", "before 1970");
	refuse_as("99999999999999999999999999d", "before 1970");
	read_as("1970-01-01T00:00Z", 0);
	read_as("1970-01-01T01:00", 0);
}

static const char *
span(int64_t ms)
{
	buf_clear(&buf);
	print_add_span(&buf, ms);
	return buf_text(&buf);
}

static const char *
size(int64_t bytes)
{
	buf_clear(&buf);
	print_add_size(&buf, bytes);
	return buf_text(&buf);
}

static void
spans_and_sizes_are_short(void **state)
{
	(void)state;
	assert_string_equal(span(-5), "0s");
	assert_string_equal(span(59999), "59s");
	assert_string_equal(span(60000), "1m");
	assert_string_equal(span(7383000), "2h 3m");
	assert_string_equal(span(3600000 + 59000), "1h");
	assert_string_equal(span(INT64_C(90000) * 1000), "1d 1h");
	assert_string_equal(size(1023), "1023 bytes");
	assert_string_equal(size(1536), "1.5K");
	assert_string_equal(size(INT64_C(20) << 30), "20G");
	assert_string_equal(size(INT64_C(5000) << 40), "5000T");
}

static const char *
safe(const char *text, size_t len)
{
	buf_clear(&buf);
	print_add_safe(&buf, text, len);
	return buf_text(&buf);
}

static void
what_a_terminal_would_act_on_is_escaped(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C"));
	assert_string_equal(safe("a b\\", 4), "a b\\\\");
	assert_string_equal(
	    safe("\x1b[2J\r\n\0\x7f", 8), "\\x1b[2J\\x0d\\x0a\\x00\\x7f");
	assert_string_equal(safe("\xc3\xa5", 2), "\\xc3\\xa5");
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	assert_string_equal(safe("\xc3\xa5", 2), "\xc3\xa5");
	assert_string_equal(safe("\xc2\x9b", 2), "\\xc2\\x9b");
	assert_string_equal(safe("\xe2\x80\xae.", 4), "\\xe2\\x80\\xae.");
	assert_string_equal(safe("\xc3", 1), "\\xc3");
	assert_string_equal(safe("\xff\xc3(", 3), "\\xff\\xc3(");
	assert_int_equal(print_width("a\xc3\xa5\xe4\xb8\xad"), 4);
}

static int
set_up(void **state)
{
	(void)state;
	buf_init(&buf, 4096);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_free(&buf);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_duration_is_a_time_before_now),
	    cmocka_unit_test(a_date_is_in_local_time_unless_it_says_its_zone),
	    cmocka_unit_test(what_the_command_prints_is_a_time),
	    cmocka_unit_test(a_day_begins_at_the_local_midnight),
	    cmocka_unit_test(what_is_no_time_is_refused),
	    cmocka_unit_test(no_time_is_before_1970),
	    cmocka_unit_test(spans_and_sizes_are_short),
	    cmocka_unit_test(what_a_terminal_would_act_on_is_escaped),
	};

	return cmocka_run_group_tests_name("print", tests, set_up, tear_down);
}
