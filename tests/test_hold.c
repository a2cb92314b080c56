/*
 * Pausing and holding destinations, and the time that takes.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "delivery_fixture.h"

/* "crm paused=why hold=5000", the hold from now on. */
static void
expect_states(struct fixture *fixture, const char *expected)
{
	struct destination *states;
	struct buf text;
	size_t count, i;

	buf_init(&text, 1000);
	assert_int_equal(
	    store_read_destinations(fixture->store, &states, &count), STORE_OK);
	for (i = 0; i < count; i++) {
		assert_true((states[i].paused_at_ms != 0) ==
			    (states[i].pause_reason != NULL));
		buf_add_format(&text, "%s%lld%s%s", i > 0 ? " " : "",
		    (long long)states[i].id,
		    states[i].paused_at_ms != 0 ? " paused=" : "",
		    states[i].paused_at_ms != 0 ? states[i].pause_reason : "");
		if (states[i].hold_until_ms != 0)
			buf_add_format(&text, " hold=%lld",
			    (long long)(states[i].hold_until_ms -
					delivery_now_ms));
	}
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
	store_free_destinations(states, count);
}

static int64_t
held_ms(struct fixture *fixture, int64_t destination)
{
	struct due due = delivery_take(fixture, destination);
	int64_t held_ms = due.held_ms;

	store_free_due(&due);
	return held_ms;
}

/* One delivery, due, that was tried once already. */
static int64_t
fill(struct fixture *fixture)
{
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 1);
	delivery_settle(fixture, id, OUTCOME_RETRY);
	delivery_now_ms += 5000;
	return id;
}

static void
a_pause_lasts_until_it_is_ended(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	struct store_summary summary;

	delivery_configure(fixture, ids, "crm", "bi", NULL);
	expect_states(fixture, "1 2");
	assert_int_equal(
	    store_pause(fixture->store, "bi", "jane", "it moves"), STORE_OK);
	delivery_now_ms += DAY_MS;
	assert_int_equal(store_pause(fixture->store, "bi", "jane", "it moved"),
	    STORE_REFUSED);
	assert_string_equal(store_why(fixture->store),
	    "bi is paused already, by jane (it moves); the first time and "
	    "reason are kept");
	delivery_configure(fixture, ids, "crm", "bi", NULL);
	expect_states(fixture, "1 2 paused=it moves");
	assert_int_equal(
	    store_summarize(fixture->store, delivery_now_ms, &summary),
	    STORE_OK);
	assert_string_equal(summary.destinations[0].name, "bi");
	assert_string_equal(summary.destinations[0].pause_reason, "it moves");
	assert_string_equal(summary.destinations[0].paused_by, "jane");
	assert_int_equal(summary.destinations[0].paused_at_ms, BEGIN_MS);
	assert_int_equal(summary.destinations[1].paused_at_ms, 0);
	assert_null(summary.destinations[1].pause_reason);
	store_free_summary(&summary);
	assert_int_equal(store_resume(fixture->store, "bi"), STORE_OK);
	assert_int_equal(store_resume(fixture->store, "bi"), STORE_REFUSED);
	assert_string_equal(store_why(fixture->store),
	    "bi is not paused, held or down: there is nothing to resume");
	expect_states(fixture, "1 2");
}

static void
a_destination_that_is_not_known_cannot_be_paused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
	    store_pause(fixture->store, "crm", "jane", "why"), STORE_GONE);
	assert_non_null(strstr(store_why(fixture->store), "\"crm\""));
	assert_int_equal(store_resume(fixture->store, "crm"), STORE_GONE);
}

static void
a_hold_ends_by_itself_or_with_a_resume(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);
	struct store_summary summary;

	store_hold(fixture->store, id, delivery_now_ms + 10000);
	expect_states(fixture, "1 hold=10000");
	store_hold(fixture->store, id, delivery_now_ms + 3000);
	expect_states(fixture, "1 hold=10000"); /* the later one stays */
	store_summarize(fixture->store, delivery_now_ms, &summary);
	assert_int_equal(
	    summary.destinations[0].hold_until_ms, delivery_now_ms + 10000);
	store_free_summary(&summary);
	delivery_now_ms += 10000;
	expect_states(fixture, "1");
	store_hold(fixture->store, id, delivery_now_ms + 3000);
	expect_states(fixture, "1 hold=3000");
	assert_int_equal(store_resume(fixture->store, "crm"), STORE_OK);
	expect_states(fixture, "1");
}

static void
no_hold_is_longer_than_a_day_whatever_the_clock_does(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);

	store_hold(fixture->store, id, INT64_MAX);
	expect_states(fixture, "1 hold=86400000");
	delivery_now_ms -= 1000;
	expect_states(fixture, "1"); /* the clock was set back */
	store_hold(fixture->store, id, delivery_now_ms + 60000);
	expect_states(fixture, "1 hold=60000");
	store_hold(fixture->store, id, INT64_MIN);
	expect_states(fixture, "1 hold=60000");
}

static void
time_paused_or_held_is_told_with_what_is_due(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);

	assert_int_equal(held_ms(fixture, id), 0);
	store_pause(fixture->store, "crm", "jane", "why");
	delivery_now_ms += 7000;
	assert_int_equal(held_ms(fixture, id), 7000);
	store_pause(fixture->store, "crm", "jane", "still");
	delivery_now_ms += 1000;
	store_resume(fixture->store, "crm");
	delivery_now_ms += HOUR_MS;
	assert_int_equal(held_ms(fixture, id), 8000);
	store_hold(fixture->store, id, delivery_now_ms + 2000);
	delivery_now_ms += 1000;
	assert_int_equal(held_ms(fixture, id), 9000);
	delivery_now_ms += HOUR_MS; /* it has ended long ago */
	assert_int_equal(held_ms(fixture, id), 10000);
	store_hold(fixture->store, id, delivery_now_ms + 2000);
	store_pause(fixture->store, "crm", "jane", "why");
	delivery_now_ms += 5000; /* both, then the pause alone */
	store_resume(fixture->store, "crm");
	delivery_now_ms += HOUR_MS;
	assert_int_equal(held_ms(fixture, id), 15000);
	store_hold(fixture->store, id, delivery_now_ms + 2000);
	delivery_now_ms += 500;
	store_resume(fixture->store, "crm");
	delivery_now_ms += HOUR_MS;
	assert_int_equal(held_ms(fixture, id), 15500);
}

static void
time_before_the_first_attempt_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);

	store_pause(fixture->store, "crm", "jane", "why");
	delivery_now_ms += HOUR_MS;
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 1);
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	assert_int_equal(held_ms(fixture, id), 0);
	delivery_settle(fixture, id, OUTCOME_RETRY);
	delivery_now_ms += 5000;
	assert_int_equal(held_ms(fixture, id), 5000);
	delivery_settle(fixture, id, OUTCOME_RETRY);
	delivery_now_ms += 5000;
	assert_int_equal(held_ms(fixture, id), 10000);
}

static void
a_clock_that_is_set_back_counts_no_time_twice(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);

	store_pause(fixture->store, "crm", "jane", "why");
	delivery_now_ms -= HOUR_MS;
	store_resume(fixture->store, "crm");
	delivery_now_ms += 2 * HOUR_MS;
	assert_int_equal(held_ms(fixture, id), 0);
	store_pause(fixture->store, "crm", "jane", "why");
	delivery_now_ms += HOUR_MS;
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 1);
	delivery_settle(fixture, id, OUTCOME_RETRY); /* held for an hour then */
	delivery_now_ms += 5000 - HOUR_MS;
	store_resume(fixture->store, "crm");
	delivery_now_ms += 2 * HOUR_MS;
	assert_int_equal(held_ms(fixture, id), 0);
}

static void
note_touched(void *arg, int64_t destination)
{
	*(int64_t *)arg = *(int64_t *)arg * 10 + destination;
}

static enum retry
retry_of(struct fixture *fixture, size_t place, int64_t *number)
{
	struct destination *states;
	enum retry retry;
	size_t count;

	assert_int_equal(
	    store_read_destinations(fixture->store, &states, &count), STORE_OK);
	retry = states[place].retry;
	*number = states[place].retry_number;
	store_free_destinations(states, count);
	return retry;
}

static void
a_replay_asks_for_a_probe_of_whom_it_touches(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter pending = {.state = LIST_STATE_PENDING},
				 of_bi = {.state = LIST_STATE_PENDING,
				     .destination = "bi"};
	int64_t ids[2], number = 0, other = 0, touched = 0;
	struct change_options options = {.mode = CHANGE_MAKE,
	    .touched = note_touched,
	    .touched_arg = &touched};
	struct change_counts counts;

	delivery_configure_ordered(fixture, ids, "crm", "bi", NULL);
	delivery_put(fixture, NULL, "a", "1");
	delivery_put(fixture, NULL, "a", "1");
	delivery_route(fixture, ids, 2);
	delivery_settle(fixture, ids[0], OUTCOME_RETRY);
	assert_int_equal(
	    store_replay(fixture->store, &of_bi, &options, &counts), STORE_OK);
	assert_int_equal(counts.due, 1);
	assert_int_equal(counts.behind, 1);
	assert_int_equal(touched, 2);
	assert_int_equal(retry_of(fixture, 0, &number), RETRY_NOT_ASKED);
	assert_int_equal(retry_of(fixture, 1, &number), RETRY_PROBE);
	touched = 0;
	assert_int_equal(
	    store_replay(fixture->store, &pending, &options, &counts),
	    STORE_OK);
	assert_int_equal(counts.hurried, 1);
	assert_int_equal(touched, 12);
	/* Who did the first wish does not end the second. */
	store_end_retry(fixture->store, ids[1], number);
	assert_int_equal(retry_of(fixture, 1, &other), RETRY_PROBE);
	assert_int_not_equal(number, other);
	store_end_retry(fixture->store, ids[1], other);
	assert_int_equal(retry_of(fixture, 1, &other), RETRY_NOT_ASKED);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_pause_lasts_until_it_is_ended),
	    CASE(a_destination_that_is_not_known_cannot_be_paused),
	    CASE(a_hold_ends_by_itself_or_with_a_resume),
	    CASE(no_hold_is_longer_than_a_day_whatever_the_clock_does),
	    CASE(time_paused_or_held_is_told_with_what_is_due),
	    CASE(time_before_the_first_attempt_does_not_count),
	    CASE(a_clock_that_is_set_back_counts_no_time_twice),
	    CASE(a_replay_asks_for_a_probe_of_whom_it_touches),
	};

	return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
