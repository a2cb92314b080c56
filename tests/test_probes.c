/*
 * Which delivery probes a destination that is down, and what comes forward
 * when it is back.
 */
#include "config.h"

#include "unit.h"

#include <stdbool.h>

#include "delivery_fixture.h"

#define MIDDLE (UINT32_MAX / 2)

/* `count` that are due, of seqs from 1 on. */
static int64_t
fill(struct fixture *fixture, int count)
{
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	for (; count > 0; count--) {
		delivery_put(fixture, NULL, "a", NULL);
		delivery_now_ms++;
	}
	delivery_route(fixture, &id, 1);
	return id;
}

/* The seq of the delivery that is the probe; 0: there is none. */
static int64_t
probe(struct fixture *fixture, int64_t id, enum probe_turn which,
    int64_t last_seq, uint32_t random)
{
	struct probe_choice choice = {
	    .which = which, .last_seq = last_seq, .random = random};
	struct due due;
	int64_t seq;
	enum store_status status = store_read_probe(
	    fixture->store, id, &choice, delivery_now_ms, &due);

	if (status == STORE_GONE)
		return 0;
	assert_int_equal(status, STORE_OK);
	assert_true(due.body_bytes > 0);
	seq = due.seq;
	store_free_due(&due);
	return seq;
}

static int64_t
probe_at(struct fixture *fixture, int64_t id)
{
	int64_t at_ms = 0;

	assert_int_equal(
	    store_read_probe_at(fixture->store, id, delivery_now_ms, &at_ms),
	    STORE_OK);
	return at_ms;
}

/* One whose attempt fails now; 0: it asked for nothing. */
static void
fail_next(struct fixture *fixture, int64_t id, int64_t wait_ms,
    int64_t failed_at_ms, int64_t asked_ms)
{
	struct due due = delivery_take(fixture, id);
	struct settlement settlement = delivery_settlement(&due, OUTCOME_RETRY);

	settlement.next_at_ms = delivery_now_ms + wait_ms;
	settlement.failed_at_ms = failed_at_ms;
	if (asked_ms > 0)
		settlement.asked_until_ms = delivery_now_ms + asked_ms;
	assert_int_equal(
	    store_settle(fixture->store, &settlement, 1), STORE_OK);
	store_free_due(&due);
}

static void
probes_take_turns_between_the_newest_another_and_the_oldest(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 101);

	assert_int_equal(probe(fixture, id, PROBE_TURN_NEWEST, 0, 0), 101);
	assert_int_equal(probe(fixture, id, PROBE_TURN_NEWEST, 101, 0), 100);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OTHER, 0, 0), 1);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OTHER, 0, MIDDLE), 51);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OTHER, 51, MIDDLE), 52);
	assert_int_equal(
	    probe(fixture, id, PROBE_TURN_OTHER, 0, UINT32_MAX), 101);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OLDEST, 0, MIDDLE), 1);
	assert_true(probe_at(fixture, id) <= delivery_now_ms);
}

static void
what_waits_or_is_behind_is_no_probe_while_another_is_due(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;
	int i;

	delivery_configure_ordered(fixture, &id, "crm", NULL);
	for (i = 0; i < 6; i++)
		delivery_put(fixture, NULL, "a", i < 4 ? "7" : "8");
	delivery_route(fixture, &id, 1);
	assert_int_equal(probe(fixture, id, PROBE_TURN_NEWEST, 0, 0), 5);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OTHER, 1, 0), 5);
	fail_next(fixture, id, HOUR_MS, delivery_now_ms, 0);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OLDEST, 0, 0), 5);
	assert_int_equal(
	    probe(fixture, id, PROBE_TURN_OTHER, 5, UINT32_MAX), 5);
}

static void
what_was_never_tried_is_the_better_probe(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 3);

	fail_next(fixture, id, 1000, delivery_now_ms, 0);
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	fail_next(fixture, id, 1000, delivery_now_ms, 0);
	delivery_now_ms += 1000;
	assert_int_equal(probe(fixture, id, PROBE_TURN_NEWEST, 0, 0), 3);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OTHER, 0, 0), 1);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 1);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OTHER, 0, 0), 4);
	fail_next(fixture, id, 1000, delivery_now_ms, 0); /* 1 */
	fail_next(fixture, id, 1000, delivery_now_ms, 0); /* 3 */
	delivery_settle(fixture, id, OUTCOME_DELIVERED);  /* 4 */
	fail_next(fixture, id, 1000, delivery_now_ms, 0); /* 5 */
	delivery_now_ms += 1000;
	assert_int_equal(probe(fixture, id, PROBE_TURN_NEWEST, 0, 0), 5);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 1);
	fail_next(fixture, id, HOUR_MS, delivery_now_ms, 0); /* 1 */
	assert_int_equal(probe(fixture, id, PROBE_TURN_NEWEST, 6, 0), 5);
	assert_int_equal(probe(fixture, id, PROBE_TURN_NEWEST, 0, 0), 6);
}

static void
where_nothing_is_due_there_is_a_probe_all_the_same(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 3);
	enum probe_turn turn = PROBE_TURN_NEWEST;

	fail_next(fixture, id, HOUR_MS, delivery_now_ms, 0);
	fail_next(fixture, id, HOUR_MS / 2, delivery_now_ms, 0);
	fail_next(fixture, id, HOUR_MS / 3, delivery_now_ms, HOUR_MS / 3);
	for (; turn < PROBE_TURN_COUNT; turn++)
		assert_int_equal(probe(fixture, id, turn, 0, 0), 2);
	assert_true(probe_at(fixture, id) <= delivery_now_ms);
}

static void
what_its_destination_asked_to_wait_for_is_no_probe_before(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 2);

	fail_next(fixture, id, HOUR_MS, delivery_now_ms, HOUR_MS);
	fail_next(fixture, id, 2 * HOUR_MS, delivery_now_ms, 60000);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OLDEST, 0, 0), 0);
	assert_true(probe_at(fixture, id) == delivery_now_ms + 60000);
	delivery_now_ms += 60000;
	assert_int_equal(probe(fixture, id, PROBE_TURN_OLDEST, 0, 0), 2);
}

static void
where_nothing_is_pending_there_is_no_probe(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);

	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	assert_int_equal(probe(fixture, id, PROBE_TURN_NEWEST, 0, 0), 0);
	assert_int_equal(probe(fixture, id, PROBE_TURN_OTHER, 0, 0), 0);
	assert_true(probe_at(fixture, id) == INT64_MAX);
}

/* ---- coming forward ---- */

/* "1 3": the seqs that are due. */
static void
expect_due(struct fixture *fixture, int64_t id, const char *expected)
{
	int64_t claimed[16];
	size_t count = 0;
	struct buf text;
	struct due due;

	buf_init(&text, 1000);
	while (store_read_due(fixture->store, id, delivery_now_ms, DAY_MS,
		   claimed, count, &due) == STORE_OK) {
		buf_add_format(
		    &text, "%s%lld", count > 0 ? " " : "", (long long)due.seq);
		claimed[count++] = due.seq;
		store_free_due(&due);
	}
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
}

static struct forward
forward_now(enum forward_which which)
{
	return (struct forward){.which = which,
	    .now_ms = delivery_now_ms,
	    .from_ms = delivery_now_ms};
}

static bool
bring(struct fixture *fixture, int64_t id, struct forward *forward)
{
	bool is_more = false;

	assert_int_equal(
	    store_bring_forward(fixture->store, id, forward, 3, &is_more),
	    STORE_OK);
	return is_more;
}

static void
only_what_failed_for_the_destinations_sake_meanwhile_comes_forward(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 4);
	struct forward forward;
	int64_t now_ms = delivery_now_ms;

	fail_next(fixture, id, HOUR_MS, now_ms - 1, 0); /* before */
	fail_next(fixture, id, HOUR_MS + 1, now_ms, 0);
	fail_next(fixture, id, HOUR_MS + 2, 0, 0);          /* for its own */
	fail_next(fixture, id, HOUR_MS + 3, now_ms + 2, 0); /* after */
	forward = forward_now(FORWARD_FAILED);
	forward.failed_since_ms = now_ms;
	forward.failed_until_ms = now_ms + 1;
	while (bring(fixture, id, &forward))
		continue;
	expect_due(fixture, id, "2");
}

static void
what_retry_after_asked_for_is_kept_unless_the_operator_resumes(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 3);
	struct forward forward;

	fail_next(fixture, id, HOUR_MS, delivery_now_ms, HOUR_MS);
	fail_next(fixture, id, HOUR_MS, delivery_now_ms, 60000);
	fail_next(fixture, id, HOUR_MS + 1, 0, 0);
	forward = forward_now(FORWARD_FAILED);
	forward.failed_until_ms = delivery_now_ms;
	bring(fixture, id, &forward);
	expect_due(fixture, id, "");
	delivery_now_ms += 60000;
	expect_due(fixture, id, "2");
	forward = forward_now(FORWARD_ALL);
	bring(fixture, id, &forward);
	expect_due(fixture, id, "2 3");
	forward = forward_now(FORWARD_EVEN_ASKED);
	bring(fixture, id, &forward);
	expect_due(fixture, id, "1 2 3");
}

static void
what_waits_is_brought_forward_in_steps(void **state)
{
	struct fixture *fixture = *state;
	struct forward forward;
	int64_t ids[2];
	int i;

	delivery_configure_ordered(fixture, ids, "crm", "bi", NULL);
	for (i = 0; i < 5; i++)
		delivery_put(fixture, NULL, "a", i == 4 ? "3" : NULL);
	delivery_put(fixture, NULL, "a", "3");
	delivery_route(fixture, ids, 2);
	for (i = 0; i < 5; i++)
		fail_next(fixture, ids[0], HOUR_MS + i, delivery_now_ms, 0);
	fail_next(fixture, ids[1], HOUR_MS, delivery_now_ms, 0);
	expect_due(fixture, ids[0], "");
	forward = forward_now(FORWARD_ALL);
	assert_true(bring(fixture, ids[0], &forward));
	expect_due(fixture, ids[0], "1 2 3");
	assert_false(bring(fixture, ids[0], &forward));
	expect_due(fixture, ids[0], "1 2 3 4 5"); /* 6 stays behind 5 */
	expect_due(fixture, ids[1], "2 3 4 5");
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(probes_take_turns_between_the_newest_another_and_the_oldest),
	    CASE(what_waits_or_is_behind_is_no_probe_while_another_is_due),
	    CASE(what_was_never_tried_is_the_better_probe),
	    CASE(where_nothing_is_due_there_is_a_probe_all_the_same),
	    CASE(what_its_destination_asked_to_wait_for_is_no_probe_before),
	    CASE(where_nothing_is_pending_there_is_no_probe),
	    CASE(
		only_what_failed_for_the_destinations_sake_meanwhile_comes_forward),
	    CASE(
		what_retry_after_asked_for_is_kept_unless_the_operator_resumes),
	    CASE(what_waits_is_brought_forward_in_steps),
	};

	return cmocka_run_group_tests_name("probes", tests, NULL, NULL);
}
