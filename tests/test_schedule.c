/*
 * Units of src/relay that are pure: the back-off, Retry-After, the end of a
 * delivery, and the addresses that are private.
 */
#include "config.h"

#include "unit.h"

#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "relay/guard.h"
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
	    .retry_after = "",
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
	failure.retry_after = "30";
	assert_int_equal(schedule_next_at(&failure), NOW_MS + 30000);
	failure.retry_after = "3";
	assert_int_equal(schedule_next_at(&failure), NOW_MS + 20000);
	failure.retry_after = "soon";
	assert_int_equal(schedule_next_at(&failure), NOW_MS + 20000);
	failure.retry_after = "99999999";
	assert_int_equal(schedule_next_at(&failure), NOW_MS + DAY_MS);
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

/* What a socket would get for the address. */
static bool
is_private_socket(const char *text)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
	struct addrinfo *found = NULL;
	bool is_private;

	if (getaddrinfo(text, "80", &hints, &found) != 0)
		fail_msg("%s is no address", text);
	is_private = guard_is_private(found->ai_addr);
	freeaddrinfo(found);
	return is_private;
}

static void
private_addresses_are_known(void **state)
{
	static const char *const addresses[] = {"0.0.0.0", "0.1.2.3",
	    "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
	    "127.0.0.1", "127.1.2.3", "169.254.169.254", "172.16.0.1",
	    "172.31.255.255", "192.168.1.1", "224.0.0.1", "240.0.0.1",
	    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1",
	    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fe80::1", "febf::1",
	    "fc00::1", "fd12::1", "ff02::1"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
		if (!is_private_socket(addresses[i]) ||
		    !guard_is_private_text(addresses[i]))
			fail_msg("%s passed", addresses[i]);
}

static void
public_addresses_are_known(void **state)
{
	static const char *const addresses[] = {"1.1.1.1", "9.255.255.255",
	    "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	    "128.0.0.1", "169.253.1.1", "172.15.255.255", "172.32.0.0",
	    "192.167.1.1", "192.169.1.1", "223.255.255.255", "::ffff:1.1.1.1",
	    "2001:db8::1", "2606:4700::1111"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
		if (is_private_socket(addresses[i]) ||
		    guard_is_private_text(addresses[i]))
			fail_msg("%s was refused", addresses[i]);
}

static void
what_is_no_internet_address_is_private(void **state)
{
	struct sockaddr_storage local = {.ss_family = AF_UNIX};

	(void)state;
	assert_true(guard_is_private((struct sockaddr *)&local));
	assert_true(guard_is_private_text(""));
	assert_true(guard_is_private_text("localhost"));
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
	    cmocka_unit_test(private_addresses_are_known),
	    cmocka_unit_test(public_addresses_are_known),
	    cmocka_unit_test(what_is_no_internet_address_is_private),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
