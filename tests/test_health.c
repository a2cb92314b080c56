/*
 * How a destination fares: down and back, probes, holds, pauses. The clock is
 * a number, the jitter chosen.
 */
#include "config.h"

#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "relay/health.h"
#include "relay/schedule.h"

#define NOW_MS  INT64_C(1700000000000) /* Tue, 14 Nov 2023 22:13:20 GMT */
#define HOUR_MS (3600 * INT64_C(1000))
#define DAY_MS  (24 * HOUR_MS)

/* The first attempt of a delivery, begun and failed then; the longest back-off
 * chosen. */
static struct health_failure
failure_at(int64_t now_ms)
{
	static int64_t seq;

	return (struct health_failure){.seq = ++seq,
	    .status = 500,
	    .first_attempt_ms = now_ms,
	    .started_at_ms = now_ms,
	    .now_ms = now_ms,
	    .random = UINT32_MAX};
}

static struct health_news
fail_at(struct health *health, int64_t now_ms)
{
	struct health_failure failure = failure_at(now_ms);

	failure.is_probe = health->is_down;
	return health_fail(health, &failure);
}

static struct health
down_at(int64_t now_ms)
{
	struct health health = {.is_down = false};
	int i;

	for (i = 0; i < HEALTH_DOWN_FAILURES; i++)
		fail_at(&health, now_ms);
	assert_true(health.is_down);
	return health;
}

static void
five_failures_in_a_row_and_it_is_down(void **state)
{
	struct health health = {.is_down = false};
	struct health_news news;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_false(fail_at(&health, NOW_MS + i).is_down);
	assert_int_equal(health_limit(&health, 8), 8);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 0);
	news = fail_at(&health, NOW_MS + 4);
	assert_true(news.is_down);
	assert_int_equal(news.since_ms, NOW_MS);
	assert_int_equal(news.failures, 5);
	assert_int_equal(health_limit(&health, 8), 1);
}

static void
a_success_between_makes_it_no_row(void **state)
{
	struct health health = {.is_down = false};
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_false(fail_at(&health, NOW_MS + i).is_down);
		if (i % 4 == 3)
			health_succeed(&health, NOW_MS + i);
	}
}

static void
what_failed_before_a_success_counts_for_itself_alone(void **state)
{
	struct health health = {.is_down = false};
	struct health_failure failure = failure_at(NOW_MS + 1000);
	int i;

	(void)state;
	health_succeed(&health, NOW_MS);
	failure.first_attempt_ms = NOW_MS - 1;
	for (i = 0; i < 100; i++)
		assert_false(health_fail(&health, &failure).is_down);
	for (i = 0; i < 4; i++)
		assert_false(fail_at(&health, NOW_MS).is_down);
	assert_true(fail_at(&health, NOW_MS).is_down);
}

static void
one_delivery_that_fails_again_and_again_takes_nothing_down(void **state)
{
	struct health health = {.is_down = false};
	struct health_failure failure = failure_at(NOW_MS);
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_false(health_fail(&health, &failure).is_down);
	assert_int_equal(health_limit(&health, 8), 8);
	for (i = 0; i < 3; i++)
		assert_false(fail_at(&health, NOW_MS).is_down);
	assert_true(fail_at(&health, NOW_MS).is_down);
}

static void
probes_wait_twice_as_long_each_time_up_to_five_minutes(void **state)
{
	struct health health = down_at(NOW_MS);

	(void)state;
	assert_int_equal(health_wait_ms(&health, NOW_MS), 5000);
	assert_int_equal(health_wait_ms(&health, NOW_MS + 5000), 0);
	fail_at(&health, NOW_MS);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 10000);
	fail_at(&health, NOW_MS);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 20000);
	health.probes = 1000000;
	fail_at(&health, NOW_MS);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 320000);
}

static void
attempts_under_way_when_it_goes_down_are_no_probes(void **state)
{
	struct health health = down_at(NOW_MS);
	struct health_failure failure = failure_at(NOW_MS + 1000);
	int i;

	(void)state;
	for (i = 0; i < 60; i++)
		health_fail(&health, &failure);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 5000);
}

static void
any_success_brings_it_back_at_full_speed(void **state)
{
	struct health health = down_at(NOW_MS);
	struct health_news news;

	(void)state;
	fail_at(&health, NOW_MS + 5000);
	news = health_succeed(&health, NOW_MS + 9000);
	assert_true(news.is_back);
	assert_int_equal(news.since_ms, NOW_MS);
	assert_int_equal(news.failures, 6);
	assert_int_equal(health_limit(&health, 8), 8);
	assert_int_equal(health_wait_ms(&health, NOW_MS + 9000), 0);
	news = health_succeed(&health, NOW_MS + 9001);
	assert_false(news.is_back);
}

static void
what_speaks_of_the_delivery_alone_takes_nothing_down(void **state)
{
	static const int statuses[] = {200, 301, 302, 400, 401, 404, 422, 499};
	struct health health = {.is_down = false};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		for (j = 0; j < 10; j++) {
			struct health_failure failure = failure_at(NOW_MS);

			failure.status = statuses[i];
			assert_false(health_is_concerned(statuses[i]));
			assert_false(health_fail(&health, &failure).is_down);
		}
	assert_int_equal(health.failures, 0);
}

static void
what_speaks_of_the_destination_takes_it_down(void **state)
{
	static const int statuses[] = {0, 408, 429, 500, 502, 503, 599};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		struct health health = {.is_down = false};

		for (j = 0; j < HEALTH_DOWN_FAILURES; j++) {
			struct health_failure failure = failure_at(NOW_MS);

			failure.status = statuses[i];
			health_fail(&health, &failure);
		}
		assert_true(health_is_concerned(statuses[i]));
		assert_true(health.is_down);
	}
}

static void
any_other_answer_proves_that_it_is_there(void **state)
{
	struct health health = {.is_down = false};
	struct health_failure refused = failure_at(NOW_MS + 1);
	struct health_news news;
	int i;

	(void)state;
	refused.status = 422;
	for (i = 0; i < 40; i++) {
		assert_false(fail_at(&health, NOW_MS + i).is_down);
		if (i % 4 == 3)
			health_fail(&health, &refused);
	}
	health = down_at(NOW_MS);
	news = health_fail(&health, &refused);
	assert_true(news.is_back);
	assert_int_equal(news.since_ms, NOW_MS);
	assert_int_equal(health_limit(&health, 8), 8);
}

static void
a_few_that_fail_in_turns_take_nothing_down(void **state)
{
	struct health health = {.is_down = false};
	struct health_failure failures[4];
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		failures[i] = failure_at(NOW_MS);
	for (i = 0; i < 100; i++)
		assert_false(health_fail(&health, &failures[i % 4]).is_down);
	assert_true(fail_at(&health, NOW_MS).is_down);
}

static void
one_that_was_down_before_a_restart_is_probed_at_once(void **state)
{
	struct health health = {.is_down = false};
	struct health_news news;

	(void)state;
	health_stay_down(&health, NOW_MS - HOUR_MS);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 0);
	assert_int_equal(health_limit(&health, 8), 1);
	fail_at(&health, NOW_MS);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 10000);
	news = health_succeed(&health, NOW_MS + 10000);
	assert_true(news.is_back);
	assert_int_equal(news.since_ms, NOW_MS - HOUR_MS);
}

static void
what_one_answer_asks_for_puts_off_no_probe(void **state)
{
	struct health health = down_at(NOW_MS);
	struct health_failure failure = failure_at(NOW_MS);

	(void)state;
	failure.is_probe = true;
	failure.asked_ms = DAY_MS;
	health_fail(&health, &failure);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 10000);
}

static void
while_it_is_down_it_is_said_once_an_hour(void **state)
{
	struct health health = down_at(NOW_MS);
	int64_t at_ms;
	int said = 0;

	(void)state;
	for (at_ms = NOW_MS; at_ms < NOW_MS + DAY_MS; at_ms += 60000) {
		struct health_news news = fail_at(&health, at_ms);

		assert_false(news.is_down);
		said += news.is_still_down;
	}
	assert_int_equal(said, 23);
}

static void
retry_after_with_429_and_503_holds_it_all(void **state)
{
	static const int statuses[] = {429, 503};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct health health = {.is_down = false};
		struct health_failure failure = failure_at(NOW_MS);

		failure.status = statuses[i];
		failure.asked_ms = 30000;
		assert_true(health_fail(&health, &failure).is_held);
		assert_int_equal(health_wait_ms(&health, NOW_MS), 30000);
		assert_int_equal(health_wait_ms(&health, NOW_MS + 30000), 0);
		failure.asked_ms = 120000;
		health_fail(&health, &failure);
		assert_int_equal(health_wait_ms(&health, NOW_MS), 120000);
		failure.asked_ms = 10000; /* sooner: the later one stays */
		health_fail(&health, &failure);
		assert_int_equal(health_wait_ms(&health, NOW_MS), 120000);
		failure.asked_ms = DAY_MS;
		health_fail(&health, &failure);
		assert_int_equal(health_wait_ms(&health, NOW_MS), DAY_MS);
	}
}

static void
other_statuses_and_no_time_hold_nothing(void **state)
{
	static const struct {
		int status;
		int64_t asked_ms;
	} rows[] = {{500, 30000}, {404, 30000}, {0, 30000}, {302, 30000},
	    {503, 0}, {429, -1}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct health health = {.is_down = false};
		struct health_failure failure = failure_at(NOW_MS);

		failure.status = rows[i].status;
		failure.asked_ms = rows[i].asked_ms;
		assert_false(health_fail(&health, &failure).is_held);
		assert_int_equal(health_wait_ms(&health, NOW_MS), 0);
	}
}

static void
a_hold_and_a_probe_are_both_waited_for(void **state)
{
	struct health health = down_at(NOW_MS);

	(void)state;
	health.hold_until_ms = NOW_MS + 7000;
	assert_int_equal(health_wait_ms(&health, NOW_MS), 7000);
	health.hold_until_ms = NOW_MS + 2000;
	assert_int_equal(health_wait_ms(&health, NOW_MS), 5000);
}

static void
many_holds_are_one_line_a_minute(void **state)
{
	struct health health = {.is_down = false};
	int64_t at_ms;
	int said = 0;

	(void)state;
	for (at_ms = NOW_MS; at_ms < NOW_MS + 300000; at_ms += 1000) {
		struct health_failure failure = failure_at(at_ms);

		failure.status = 429;
		failure.asked_ms = 1000;
		said += health_fail(&health, &failure).is_held;
	}
	assert_int_equal(said, 5);
}

static void
a_410_pauses_until_it_is_resumed(void **state)
{
	struct health health = {.is_down = false};
	struct health_failure failure = failure_at(NOW_MS);

	(void)state;
	failure.status = 410;
	assert_true(health_fail(&health, &failure).is_paused);
	assert_false(health_fail(&health, &failure).is_paused);
	assert_true(health_wait_ms(&health, NOW_MS + DAY_MS) == INT64_MAX);
	health.is_paused = false;
	assert_int_equal(health_wait_ms(&health, NOW_MS), 0);
}

static void
a_clock_that_was_set_back_keeps_nothing_waiting(void **state)
{
	struct health health = down_at(NOW_MS);

	(void)state;
	health.hold_until_ms = NOW_MS + HOUR_MS;
	assert_int_equal(health_wait_ms(&health, NOW_MS - 30 * DAY_MS), 0);
}

static void
what_may_have_been_mended_is_probed_at_once(void **state)
{
	struct health health = down_at(NOW_MS);

	(void)state;
	health.probes = 10;
	health_retry_now(&health);
	assert_int_equal(health_wait_ms(&health, NOW_MS), 0);
	assert_int_equal(health_limit(&health, 8), 1);
	health_forget(&health);
	assert_int_equal(health_limit(&health, 8), 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(five_failures_in_a_row_and_it_is_down),
	    cmocka_unit_test(a_success_between_makes_it_no_row),
	    cmocka_unit_test(
		what_failed_before_a_success_counts_for_itself_alone),
	    cmocka_unit_test(
		one_delivery_that_fails_again_and_again_takes_nothing_down),
	    cmocka_unit_test(
		probes_wait_twice_as_long_each_time_up_to_five_minutes),
	    cmocka_unit_test(
		attempts_under_way_when_it_goes_down_are_no_probes),
	    cmocka_unit_test(any_success_brings_it_back_at_full_speed),
	    cmocka_unit_test(
		what_speaks_of_the_delivery_alone_takes_nothing_down),
	    cmocka_unit_test(what_speaks_of_the_destination_takes_it_down),
	    cmocka_unit_test(any_other_answer_proves_that_it_is_there),
	    cmocka_unit_test(a_few_that_fail_in_turns_take_nothing_down),
	    cmocka_unit_test(
		one_that_was_down_before_a_restart_is_probed_at_once),
	    cmocka_unit_test(what_one_answer_asks_for_puts_off_no_probe),
	    cmocka_unit_test(while_it_is_down_it_is_said_once_an_hour),
	    cmocka_unit_test(retry_after_with_429_and_503_holds_it_all),
	    cmocka_unit_test(other_statuses_and_no_time_hold_nothing),
	    cmocka_unit_test(a_hold_and_a_probe_are_both_waited_for),
	    cmocka_unit_test(many_holds_are_one_line_a_minute),
	    cmocka_unit_test(a_410_pauses_until_it_is_resumed),
	    cmocka_unit_test(a_clock_that_was_set_back_keeps_nothing_waiting),
	    cmocka_unit_test(what_may_have_been_mended_is_probed_at_once),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
