/*
 * When a delivery is tried again: the back-off, Retry-After, its end.
 */
#include "config.h"

#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "relay/schedule.h"

#define NOW_MS  INT64_C(1700000000000) /* Tue, 14 Nov 2023 22:13:20 GMT */
#define DAY_MS  (24 * 3600 * INT64_C(1000))
#define HOUR_MS (3600 * INT64_C(1000))

static struct schedule_failure
failure_after(int attempts)
{
	return (struct schedule_failure){.attempts = attempts,
	    .first_attempt_ms = NOW_MS - HOUR_MS,
	    .now_ms = NOW_MS,
	    .retry_for_ms = 72 * HOUR_MS,
	    .random = UINT32_MAX};
}

static int64_t
longest_wait(int attempts)
{
	struct schedule_failure failure = failure_after(attempts);

	return schedule_next_at(&failure) - NOW_MS;
}

static void
the_back_off_doubles_from_5_seconds_to_an_hour(void **state)
{
	(void)state;
	assert_int_equal(longest_wait(1), 5000);
	assert_int_equal(longest_wait(2), 10000);
	assert_int_equal(longest_wait(3), 20000);
	assert_int_equal(longest_wait(10), 2560000);
	assert_int_equal(longest_wait(11), HOUR_MS);
	assert_int_equal(longest_wait(1000000), HOUR_MS);
}

static void
the_jitter_is_full(void **state)
{
	struct schedule_failure failure = failure_after(3);

	(void)state;
	failure.random = 0;
	assert_int_equal(schedule_next_at(&failure), NOW_MS);
	failure.random = UINT32_MAX / 4;
	assert_int_equal(schedule_next_at(&failure), NOW_MS + 5000);
	failure.random = UINT32_MAX / 2;
	assert_int_equal(schedule_next_at(&failure), NOW_MS + 10000);
}

static void
retry_after_counts_only_where_it_is_later(void **state)
{
	struct schedule_failure failure = failure_after(3);

	(void)state;
	failure.asked_ms = 30000;
	assert_int_equal(schedule_next_at(&failure), NOW_MS + 30000);
	failure.asked_ms = 3000;
	assert_int_equal(schedule_next_at(&failure), NOW_MS + 20000);
	failure.asked_ms = -1;
	assert_int_equal(schedule_next_at(&failure), NOW_MS + 20000);
}

static void
retry_after_is_read_as_seconds(void **state)
{
	(void)state;
	assert_int_equal(schedule_read_retry_after("0", NOW_MS), 0);
	assert_int_equal(schedule_read_retry_after("120", NOW_MS), 120000);
	assert_int_equal(schedule_read_retry_after("00007", NOW_MS), 7000);
	assert_int_equal(
	    schedule_read_retry_after(
		"99999999999999999999999999999999999999999999", NOW_MS),
	    DAY_MS);
	assert_int_equal(schedule_read_retry_after("86401", NOW_MS), DAY_MS);
}

static void
retry_after_is_read_as_each_form_of_date(void **state)
{
	static const char *const dates[] = {"Tue, 14 Nov 2023 22:15:20 GMT",
	    "Tuesday, 14-Nov-23 22:15:20 GMT", "Tue Nov 14 22:15:20 2023"};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(
		    schedule_read_retry_after(dates[i], NOW_MS), 120000);
	assert_int_equal(
	    schedule_read_retry_after("Sun Nov  6 08:49:37 1994", NOW_MS), 0);
	assert_int_equal(
	    schedule_read_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", NOW_MS),
	    DAY_MS);
}

static void
what_is_neither_seconds_nor_date_is_not_read(void **state)
{
	static const char *const bad[] = {"", "-1", "+5", "1.5", "5s", "0x10",
	    "5, 6", "Tue, 14 Nov 2023 22:15:20", "Tue, 14 Nov 2023",
	    "Tue, 14 Nov 2023 22:15:20 GMT, more", "2023-11-14T22:15:20Z",
	    "Tue, 99 Nov 2023 22:15:20 GMT"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (schedule_read_retry_after(bad[i], NOW_MS) != -1)
			fail_msg("\"%s\" was read", bad[i]);
}

static void
a_delivery_is_dead_after_retry_for_and_ten_attempts(void **state)
{
	struct schedule_failure failure = failure_after(10);

	(void)state;
	assert_false(schedule_is_dead(&failure));
	failure.retry_for_ms = HOUR_MS;
	assert_true(schedule_is_dead(&failure));
	failure.held_ms = 1;
	assert_false(schedule_is_dead(&failure));
	failure.held_ms = 0;
	failure.attempts = 9;
	assert_false(schedule_is_dead(&failure));
	failure.attempts = 500;
	assert_true(schedule_is_dead(&failure));
	failure.retry_for_ms = HOUR_MS + 1;
	assert_false(schedule_is_dead(&failure));
}

static void
what_is_due_later_is_waited_for(void **state)
{
	(void)state;
	assert_int_equal(schedule_wait_ms(NOW_MS + 7, NOW_MS), 7);
	assert_int_equal(schedule_wait_ms(NOW_MS, NOW_MS), 0);
	assert_int_equal(schedule_wait_ms(0, NOW_MS), 0);
	assert_true(schedule_wait_ms(INT64_MAX, NOW_MS) == INT64_MAX);
}

static void
a_time_further_ahead_than_any_wait_is_due_now(void **state)
{
	(void)state;
	assert_int_equal(schedule_wait_ms(NOW_MS + DAY_MS, NOW_MS), DAY_MS);
	assert_int_equal(schedule_wait_ms(NOW_MS + DAY_MS + 1, NOW_MS), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_back_off_doubles_from_5_seconds_to_an_hour),
	    cmocka_unit_test(the_jitter_is_full),
	    cmocka_unit_test(retry_after_counts_only_where_it_is_later),
	    cmocka_unit_test(retry_after_is_read_as_seconds),
	    cmocka_unit_test(retry_after_is_read_as_each_form_of_date),
	    cmocka_unit_test(what_is_neither_seconds_nor_date_is_not_read),
	    cmocka_unit_test(
		a_delivery_is_dead_after_retry_for_and_ten_attempts),
	    cmocka_unit_test(what_is_due_later_is_waited_for),
	    cmocka_unit_test(a_time_further_ahead_than_any_wait_is_due_now),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
