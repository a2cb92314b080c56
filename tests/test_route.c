/*
 * Which destinations there are, which events are new, and routing them.
 */
#include "config.h"

#include "unit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delivery_fixture.h"

static void
a_destination_keeps_its_number_and_is_orphaned_when_it_goes(void **state)
{
	struct fixture *fixture = *state;
	int64_t first[2], second[2];
	char *orphaned;

	delivery_configure(fixture, first, "crm", "bi", NULL);
	assert_int_not_equal(first[0], first[1]);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, first, 2);
	delivery_configure(fixture, second, "bi", "new", NULL);
	assert_int_equal(second[0], first[1]);
	orphaned = fixture_query_text(fixture->path,
	    "SELECT group_concat(destination || ' ' || state) FROM "
	    "(SELECT * FROM delivery ORDER BY destination)");
	assert_string_equal(orphaned, "bi pending,crm orphaned");
	free(orphaned);
	delivery_configure(fixture, second, "crm", NULL);
	assert_int_equal(second[0], first[0]);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT count(*) FROM delivery WHERE destination = 'crm' "
		"AND state = 'pending'"),
	    1);
}

static void
new_events_come_in_capture_order_and_no_more_than_asked(void **state)
{
	struct fixture *fixture = *state;
	struct new_event *events;
	size_t count;

	assert_int_equal(
	    store_read_new(fixture->store, 10, &events, &count), STORE_OK);
	assert_int_equal(count, 0);
	store_free_new(events, count);
	delivery_put(fixture, "Example", "a", "1");
	delivery_now_ms -= HOUR_MS; /* the clock does not matter */
	delivery_put(fixture, NULL, "b", "1");
	delivery_put(fixture, "Example", "c", "1");
	assert_int_equal(
	    store_read_new(fixture->store, 2, &events, &count), STORE_OK);
	assert_int_equal(count, 2);
	assert_int_equal(events[0].seq, 1);
	assert_string_equal(events[0].type, "a");
	assert_string_equal(events[0].community, "Example");
	assert_int_equal(events[1].seq, 2);
	assert_string_equal(events[1].type, "b");
	assert_null(events[1].community);
	store_free_new(events, count);
}

static void
routing_makes_deliveries_and_calls_events_routed(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2], routed = -1;
	struct new_event *events;
	size_t count;

	delivery_configure(fixture, ids, "crm", "bi", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_put(fixture, NULL, "matches nothing", NULL);
	delivery_put(fixture, NULL, "still new", NULL);
	{
		const struct route routes[] = {{1, ids[0]}, {1, ids[1]}};

		assert_int_equal(
		    store_route(fixture->store, 0, 2, routes, 2), STORE_OK);
	}
	assert_int_equal(store_read_routed(fixture->store, &routed), STORE_OK);
	assert_int_equal(routed, 2);
	assert_int_equal(
	    store_read_new(fixture->store, 10, &events, &count), STORE_OK);
	assert_int_equal(count, 1);
	assert_int_equal(events[0].seq, 3);
	store_free_new(events, count);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT count(*) FROM delivery WHERE state = 'pending'"),
	    2);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT count(*) FROM event WHERE state = 'routed'"),
	    2);
	delivery_check(fixture);
}

static void
events_that_somebody_else_routed_are_not_routed_again(void **state)
{
	struct fixture *fixture = *state;
	struct route route = {1, 0};
	int64_t routed = -1;

	delivery_configure(fixture, &route.destination, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_put(fixture, NULL, "b", NULL);
	assert_int_equal(
	    store_route(fixture->store, 0, 1, &route, 1), STORE_OK);
	assert_int_equal(
	    store_route(fixture->store, 0, 2, &route, 1), STORE_GONE);
	assert_int_equal(store_read_routed(fixture->store, &routed), STORE_OK);
	assert_int_equal(routed, 1);
	delivery_check(fixture);
}

static void
an_event_erased_meanwhile_gets_no_delivery(void **state)
{
	struct fixture *fixture = *state;
	struct route route = {1, 0};

	delivery_configure(fixture, &route.destination, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_exec(fixture, "DELETE FROM events WHERE seq = 1");
	assert_int_equal(
	    store_route(fixture->store, 0, 1, &route, 1), STORE_OK);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM deliveries"), 0);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT pending FROM destinations"),
	    0);
}

static void
a_routed_event_is_due_at_once_even_if_the_clock_was_set_back(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;
	struct due due;

	delivery_configure(fixture, &id, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_now_ms -= HOUR_MS;
	delivery_route(fixture, &id, 1);
	due = delivery_take(fixture, id);
	assert_int_equal(due.seq, 1);
	assert_int_equal(due.next_at_ms, delivery_now_ms);
	store_free_due(&due);
}

/* How many events no destination wanted, as a summary has it. */
static int64_t
unwanted(struct fixture *fixture)
{
	struct store_summary summary;
	int64_t count;

	assert_int_equal(
	    store_summarize(fixture->store, delivery_now_ms, &summary),
	    STORE_OK);
	count = summary.events_unwanted;
	store_free_summary(&summary);
	return count;
}

static void
events_that_no_destination_wanted_are_counted(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter all = {.state = LIST_STATE_ANY};
	struct change_options to_crm = {.mode = CHANGE_MAKE, .to = "crm"};
	struct retention retention = {.retain_ms = 1};
	struct change_counts counts;
	int64_t ids[1], erased, some = 0, none = 0;
	bool is_more;

	delivery_configure(fixture, ids, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, ids, 1);
	assert_int_equal(unwanted(fixture), 0);
	delivery_put(fixture, NULL, "b", NULL);
	delivery_put(fixture, NULL, "c", NULL);
	delivery_route(fixture, NULL, 0);
	assert_int_equal(unwanted(fixture), 2);
	delivery_check(fixture);
	assert_int_equal(
	    store_count_unwanted(fixture->store, 2, &some, &none), STORE_OK);
	assert_int_equal(some, 2);
	assert_int_equal(none, 2);
	to_crm.event_id = delivery_id(fixture, 3);
	assert_int_equal(
	    store_replay(fixture->store, &all, &to_crm, &counts), STORE_OK);
	assert_int_equal(counts.made, 1);
	assert_int_equal(unwanted(fixture), 1);
	delivery_check(fixture);
	free((void *)(uintptr_t)to_crm.event_id);
	retention.now_ms = delivery_now_ms + HOUR_MS;
	assert_int_equal(
	    store_erase_old(fixture->store, &retention, &erased, &is_more),
	    STORE_OK);
	assert_int_equal(erased, 1);
	assert_int_equal(unwanted(fixture), 0);
	delivery_check(fixture);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_destination_keeps_its_number_and_is_orphaned_when_it_goes),
	    CASE(new_events_come_in_capture_order_and_no_more_than_asked),
	    CASE(routing_makes_deliveries_and_calls_events_routed),
	    CASE(events_that_no_destination_wanted_are_counted),
	    CASE(events_that_somebody_else_routed_are_not_routed_again),
	    CASE(an_event_erased_meanwhile_gets_no_delivery),
	    CASE(a_routed_event_is_due_at_once_even_if_the_clock_was_set_back),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
