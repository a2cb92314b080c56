/*
 * The spool's time: whatever the wall clock is set to, nothing waits longer or
 * less long for it.
 */
#include "config.h"

#include "unit.h"

#include "base/clock.h"
#include "delivery_fixture.h"
#include "spool/store_internal.h"

/* One that waits for its second attempt, 5 s ahead. */
static int64_t
fill(struct fixture *fixture)
{
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 1);
	delivery_settle(fixture, id, OUTCOME_RETRY);
	return id;
}

static int64_t
note(struct fixture *fixture)
{
	int64_t step_ms = -1;

	assert_int_equal(
	    store_note_clock(fixture->store, DAY_MS, &step_ms), STORE_OK);
	return step_ms;
}

static bool
is_due(struct fixture *fixture, int64_t id)
{
	struct due due;
	enum store_status status = store_read_due(fixture->store, id,
	    store_now_ms(fixture->store), DAY_MS, NULL, 0, &due);

	store_free_due(&due);
	return status == STORE_OK;
}

static int64_t
erase_old(struct fixture *fixture, int64_t retain_ms)
{
	const struct retention retention = {
	    .now_ms = store_now_ms(fixture->store),
	    .retain_ms = retain_ms,
	    .retain_dead_ms = retain_ms,
	    .retain_refused_ms = retain_ms};
	int64_t erased, all = 0;
	bool is_more;

	do {
		assert_int_equal(store_erase_old(fixture->store, &retention,
				     &erased, &is_more),
		    STORE_OK);
		all += erased;
	} while (is_more);
	return all;
}

static void
reopen(struct fixture *fixture, enum store_access access)
{
	store_close(fixture->store);
	fixture->store = fixture_open(fixture->path, access);
}

static void
reboot(struct fixture *fixture)
{
	delivery_exec(
	    fixture, "UPDATE progress SET boot_id = 'of another boot'");
	reopen(fixture, STORE_RELAY);
}

static const int64_t steps_ms[] = {
    -365 * DAY_MS, -HOUR_MS, HOUR_MS, 365 * DAY_MS};

#define STEPS (sizeof steps_ms / sizeof steps_ms[0])

static void
no_step_moves_what_waits_for_its_next_attempt(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);
	size_t i;

	for (i = 0; i < STEPS; i++) {
		delivery_step_ms = steps_ms[i];
		note(fixture);
		assert_false(is_due(fixture, id));
		reopen(fixture, STORE_RELAY);
		assert_false(is_due(fixture, id));
		delivery_now_ms += 5000;
		assert_true(is_due(fixture, id));
		delivery_settle(fixture, id, OUTCOME_RETRY);
	}
}

static void
what_is_captured_after_a_step_is_due_at_once(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);
	size_t i;

	for (i = 0; i < STEPS; i++) {
		delivery_step_ms = steps_ms[i];
		note(fixture);
		delivery_put(fixture, NULL, "a", NULL);
		delivery_route(fixture, &id, 1);
		assert_true(is_due(fixture, id));
		assert_int_equal(
		    delivery_settle(fixture, id, OUTCOME_DELIVERED), i + 2);
	}
}

static void
no_step_moves_a_hold_or_counts_as_held(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);
	struct store_summary summary;
	struct due due;
	size_t i;

	store_hold(fixture->store, id, delivery_now_ms + 4 * HOUR_MS);
	for (i = 0; i < STEPS; i++) {
		delivery_step_ms = steps_ms[i];
		note(fixture);
		delivery_now_ms += HOUR_MS / 2;
		assert_int_equal(
		    store_summarize(fixture->store, clock_wall_ms(), &summary),
		    STORE_OK);
		assert_true(
		    summary.destinations[0].hold_until_ms - clock_wall_ms() ==
		    BEGIN_MS + 4 * HOUR_MS - delivery_now_ms);
		store_free_summary(&summary);
	}
	due = delivery_take(fixture, id);
	assert_int_equal(due.held_ms, 2 * HOUR_MS);
	assert_int_equal(due.first_attempt_ms, BEGIN_MS);
	store_free_due(&due);
}

static void
a_step_erases_nothing_early_and_keeps_nothing_long(void **state)
{
	struct fixture *fixture = *state;
	struct refusal refusal = {.received_at_ms = BEGIN_MS,
	    .status = 400,
	    .why = "not JSON",
	    .body = "{",
	    .body_bytes = 1,
	    .sent_bytes = 1};
	int64_t id;
	size_t i;

	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < STEPS; i++) {
		delivery_put(fixture, NULL, "a", NULL);
		delivery_route(fixture, &id, 1);
		delivery_settle(fixture, id, OUTCOME_DELIVERED);
		delivery_put(fixture, NULL, "unwanted", NULL);
		refusal.received_at_ms = clock_wall_ms();
		store_refuse(fixture->store, &refusal);
		delivery_step_ms = steps_ms[i];
		note(fixture);
		delivery_route(fixture, &id, 0);
		assert_int_equal(erase_old(fixture, DAY_MS), 0);
		delivery_now_ms += DAY_MS - 1;
		assert_int_equal(erase_old(fixture, DAY_MS), 0);
		delivery_now_ms += 1;
		assert_int_equal(erase_old(fixture, DAY_MS), 3);
	}
}

static void
times_are_shown_by_the_clock_as_it_is_set(void **state)
{
	struct fixture *fixture = *state;
	struct store_summary summary;

	fill(fixture);
	delivery_step_ms = HOUR_MS;
	assert_int_equal(
	    store_summarize(fixture->store, clock_wall_ms(), &summary),
	    STORE_OK);
	assert_true(
	    summary.destinations[0].next_at_ms - clock_wall_ms() == 5000);
	store_free_summary(&summary);
	note(fixture);
	assert_true(
	    fixture_query(fixture->path, "SELECT next_at_ms FROM delivery") -
		clock_wall_ms() ==
	    5000);
	reopen(fixture, STORE_READ);
	assert_true(store_now_ms(fixture->store) == delivery_now_ms);
	assert_true(store_shown_ms(fixture->store, 0) == 0);
	assert_true(store_shown_ms(fixture->store, INT64_MAX) == INT64_MAX);
}

static void
a_step_is_told_once_and_what_is_less_than_a_second_is_none(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(note(fixture), 0);
	delivery_step_ms = -HOUR_MS;
	assert_int_equal(note(fixture), -HOUR_MS);
	assert_int_equal(note(fixture), 0);
	delivery_step_ms += 999;
	assert_int_equal(note(fixture), 0);
	delivery_step_ms += 1;
	assert_int_equal(note(fixture), 1000);
	delivery_step_ms = 0; /* while nobody looks */
	reopen(fixture, STORE_RELAY);
	assert_int_equal(note(fixture), HOUR_MS - 1000);
}

static void
it_is_noted_no_more_often_than_asked(void **state)
{
	static const char noted[] = "SELECT noted_at_ms FROM progress";
	struct fixture *fixture = *state;

	delivery_now_ms += DAY_MS - 1;
	note(fixture);
	assert_true(fixture_query(fixture->path, noted) == BEGIN_MS);
	delivery_now_ms += 1;
	note(fixture);
	assert_true(fixture_query(fixture->path, noted) == delivery_now_ms);
}

static void
another_boot_goes_on_by_what_the_clock_says_has_passed(void **state)
{
	struct fixture *fixture = *state;

	delivery_step_ms = 365 * DAY_MS;
	note(fixture);
	delivery_now_ms += HOUR_MS;
	reboot(fixture);
	assert_true(store_now_ms(fixture->store) == BEGIN_MS + HOUR_MS);
	delivery_now_ms += HOUR_MS;
	reopen(fixture, STORE_READ);
	assert_true(store_now_ms(fixture->store) == BEGIN_MS + 2 * HOUR_MS);
}

static void
another_boot_with_a_clock_that_is_behind_never_goes_back(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture);

	delivery_now_ms += HOUR_MS;
	note(fixture);
	delivery_now_ms += DAY_MS;
	note(fixture);
	delivery_step_ms = -365 * DAY_MS;
	reboot(fixture);
	assert_true(
	    store_now_ms(fixture->store) == BEGIN_MS + HOUR_MS + DAY_MS);
	assert_true(is_due(fixture, id));
	delivery_step_ms = 0; /* the clock is right again */
	assert_true(
	    store_now_ms(fixture->store) == BEGIN_MS + HOUR_MS + DAY_MS);
	assert_int_equal(note(fixture), 365 * DAY_MS);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(no_step_moves_what_waits_for_its_next_attempt),
	    CASE(what_is_captured_after_a_step_is_due_at_once),
	    CASE(no_step_moves_a_hold_or_counts_as_held),
	    CASE(a_step_erases_nothing_early_and_keeps_nothing_long),
	    CASE(times_are_shown_by_the_clock_as_it_is_set),
	    CASE(a_step_is_told_once_and_what_is_less_than_a_second_is_none),
	    CASE(it_is_noted_no_more_often_than_asked),
	    CASE(another_boot_goes_on_by_what_the_clock_says_has_passed),
	    CASE(another_boot_with_a_clock_that_is_behind_never_goes_back),
	};

	return cmocka_run_group_tests_name("spool_time", tests, NULL, NULL);
}
