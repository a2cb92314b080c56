/*
 * Lanes: which deliveries go one after the other, what lets the next one
 * pass, and what is made due otherwise.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "delivery_fixture.h"

/* The seqs that may be claimed now, in order: "1 2". */
static void
expect_due(struct fixture *fixture, int64_t destination, const char *expected)
{
	struct buf text;
	int64_t claimed[32];
	size_t count = 0;
	struct due due;

	buf_init(&text, 1000);
	while (store_read_due(fixture->store, destination, delivery_now_ms,
		   DAY_MS, claimed, count, &due) == STORE_OK) {
		buf_add_format(
		    &text, "%s%lld", count > 0 ? " " : "", (long long)due.seq);
		claimed[count++] = due.seq;
		store_free_due(&due);
	}
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
	delivery_check(fixture);
}

/* `count` events of one ticket for an ordered destination. */
static int64_t
fill_lane(struct fixture *fixture, int count)
{
	int64_t id;

	delivery_configure_ordered(fixture, &id, "crm", NULL);
	while (count-- > 0)
		delivery_put(fixture, "Example", "a", "1");
	delivery_route(fixture, &id, 1);
	return id;
}

typedef enum store_status (*change_function)(struct store *store,
    const struct list_filter *filter, const struct change_options *options,
    struct change_counts *counts);

/* Replays or drops the one delivery of an event. */
static void
change(struct fixture *fixture, change_function function, int64_t seq)
{
	const struct list_filter filter = {.limit = 0};
	char *id = delivery_id(fixture, seq);
	struct change_options options = {.mode = CHANGE_MAKE, .event_id = id};
	struct change_counts counts;

	assert_int_equal(
	    function(fixture->store, &filter, &options, &counts), STORE_OK);
	assert_int_equal(counts.replayed + counts.dropped, 1);
	free(id);
}

static void
those_of_a_ticket_go_one_after_the_other(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill_lane(fixture, 3);

	expect_due(fixture, id, "1");
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	expect_due(fixture, id, "2");
	delivery_put(fixture, "Example", "a", "1");
	delivery_route(fixture, &id, 1);
	expect_due(fixture, id, "2");
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	expect_due(fixture, id, "4");
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	expect_due(fixture, id, "");
	delivery_put(fixture, "Example", "a", "1");
	delivery_route(fixture, &id, 1);
	expect_due(fixture, id, "5");
}

static void
a_retry_lets_none_pass_and_a_death_the_next_one(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill_lane(fixture, 3);

	delivery_settle(fixture, id, OUTCOME_RETRY);
	expect_due(fixture, id, "");
	delivery_now_ms += 5000;
	expect_due(fixture, id, "1");
	delivery_settle(fixture, id, OUTCOME_ABANDONED);
	expect_due(fixture, id, "1");
	delivery_settle(fixture, id, OUTCOME_DEAD);
	expect_due(fixture, id, "2");
	change(fixture, store_drop, 2);
	expect_due(fixture, id, "3");
}

static void
tickets_communities_and_conversations_are_lanes_of_their_own(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	delivery_configure_ordered(fixture, ids, "crm", "bi", NULL);
	delivery_put(fixture, "Example", "a", "1");
	delivery_put(fixture, "Example", "a", "2");
	delivery_put(fixture, "Other", "a", "1");
	delivery_put(fixture, NULL, "a", "1");
	delivery_put_conversation(fixture, "Example", "1");
	delivery_put(fixture, "Example", "a", NULL);
	delivery_put(fixture, "Example", "a", NULL);
	delivery_put(fixture, NULL, "a", "1"); /* behind the fourth */
	delivery_put_conversation(fixture, "Example", "1");
	delivery_route(fixture, ids, 2);
	expect_due(fixture, ids[0], "1 2 3 4 5 6 7");
	delivery_settle(fixture, ids[1], OUTCOME_DELIVERED);
	expect_due(fixture, ids[0], "1 2 3 4 5 6 7");
	expect_due(fixture, ids[1], "2 3 4 5 6 7");
}

static void
the_lanes_take_turns(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill_lane(fixture, 3);

	delivery_now_ms += 1000;
	delivery_put(fixture, "Example", "a", "new");
	delivery_route(fixture, &id, 1);
	delivery_now_ms += 1000;
	assert_int_equal(delivery_settle(fixture, id, OUTCOME_DELIVERED), 1);
	expect_due(fixture, id, "4 2");
}

static void
without_order_nothing_is_behind(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	delivery_put(fixture, "Example", "a", "1");
	delivery_put(fixture, "Example", "a", "1");
	delivery_route(fixture, &id, 1);
	expect_due(fixture, id, "1 2");
}

static void
what_is_behind_is_made_due_where_order_ends(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill_lane(fixture, 2500);
	bool is_more = false;
	int steps = 0;

	assert_int_equal(
	    store_release_behind(fixture->store, &is_more), STORE_OK);
	assert_false(is_more);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT behind FROM destinations"),
	    2499);
	delivery_configure(fixture, &id, "crm", NULL);
	do {
		assert_int_equal(
		    store_release_behind(fixture->store, &is_more), STORE_OK);
		delivery_check(fixture);
		steps++;
	} while (is_more);
	assert_int_equal(steps, 5);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT behind FROM destinations"), 0);
}

static void
a_replayed_one_joins_its_lane_and_holds_up_none_that_was_due(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill_lane(fixture, 5);

	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	delivery_settle(fixture, id, OUTCOME_DEAD);
	delivery_settle(fixture, id, OUTCOME_DEAD);
	delivery_now_ms += 1000;
	change(fixture, store_replay, 2);
	expect_due(fixture, id, "4 2"); /* 4 was due already */
	change(fixture, store_replay, 3);
	expect_due(fixture, id, "4 2"); /* 3 is behind 2 */
	assert_int_equal(delivery_settle(fixture, id, OUTCOME_DELIVERED), 4);
	expect_due(fixture, id, "2"); /* 5 waits for all before it */
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	expect_due(fixture, id, "3");
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	expect_due(fixture, id, "5");
}

static void
dropping_one_that_is_behind_lets_none_pass(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill_lane(fixture, 4);

	change(fixture, store_drop, 2);
	expect_due(fixture, id, "1");
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	expect_due(fixture, id, "3");
}

static void
lanes_of_a_removed_destination_go_on_when_it_returns(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill_lane(fixture, 3), other;

	delivery_configure_ordered(fixture, &other, "bi", NULL);
	change(fixture, store_drop, 1); /* orphaned */
	delivery_configure_ordered(fixture, &other, "crm", NULL);
	assert_int_equal(other, id);
	expect_due(fixture, id, "2");
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(those_of_a_ticket_go_one_after_the_other),
	    CASE(a_retry_lets_none_pass_and_a_death_the_next_one),
	    CASE(tickets_communities_and_conversations_are_lanes_of_their_own),
	    CASE(the_lanes_take_turns),
	    CASE(without_order_nothing_is_behind),
	    CASE(what_is_behind_is_made_due_where_order_ends),
	    CASE(a_replayed_one_joins_its_lane_and_holds_up_none_that_was_due),
	    CASE(dropping_one_that_is_behind_lets_none_pass),
	    CASE(lanes_of_a_removed_destination_go_on_when_it_returns),
	};

	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
