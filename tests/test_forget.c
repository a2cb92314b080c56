/*
 * Forgetting a destination that is configured no longer.
 */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "delivery_fixture.h"

static const struct forget_options make = {.mode = CHANGE_MAKE};

static int64_t
count_of(struct fixture *fixture, const char *table)
{
	char sql[128];

	snprintf(sql, sizeof sql,
	    "SELECT count(*) FROM %s WHERE destination NOT IN "
	    "(SELECT id FROM destinations)",
	    table);
	return fixture_query(fixture->path, sql);
}

static void
what_is_configured_or_not_known_is_not_forgotten(void **state)
{
	struct fixture *fixture = *state;
	struct forget_counts counts;
	int64_t ids[2];

	delivery_fill(fixture, ids);
	assert_int_equal(
	    store_forget(fixture->store, "bi", &make, &counts), STORE_REFUSED);
	assert_non_null(strstr(store_why(fixture->store), "reload"));
	assert_int_equal(
	    store_forget(fixture->store, "erp", &make, &counts), STORE_GONE);
	assert_int_equal(counts.pending + counts.dead, 0);
	delivery_check(fixture);
}

static void
what_is_left_of_a_removed_destination_is_erased(void **state)
{
	struct fixture *fixture = *state;
	const struct forget_options dry = {.mode = CHANGE_COUNT};
	struct forget_counts counts;
	int64_t ids[2], again[2];

	delivery_fill(fixture, ids);
	delivery_configure(fixture, again, "crm", NULL);
	assert_int_equal(
	    store_forget(fixture->store, "bi", &dry, &counts), STORE_OK);
	assert_int_equal(counts.pending, 1);
	assert_int_equal(counts.dead, 1);
	assert_false(counts.is_whole);
	assert_int_equal(
	    store_forget(fixture->store, "bi", &make, &counts), STORE_OK);
	assert_int_equal(counts.pending, 1);
	assert_int_equal(counts.delivered, 0);
	assert_int_equal(counts.dead, 1);
	assert_int_equal(counts.dropped, 0);
	assert_true(counts.is_whole);
	assert_int_equal(count_of(fixture, "deliveries"), 0);
	assert_int_equal(count_of(fixture, "attempts"), 0);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM event"), 3);
	delivery_check(fixture);
	assert_int_equal(
	    store_forget(fixture->store, "bi", &make, &counts), STORE_GONE);
	/* An attempt that is still under way must not find another one. */
	delivery_configure(fixture, again, "crm", "erp", NULL);
	assert_true(again[1] > ids[1]);
	delivery_configure(fixture, again, "crm", "bi", NULL);
	assert_true(again[1] > ids[1] + 1);
}

/* Stops after the first step. */
static bool
stop_soon(void *arg, const struct forget_counts *counts)
{
	(void)arg;
	return counts->pending == 0;
}

static void
a_stop_leaves_whole_lanes_and_the_rest_is_forgotten_later(void **state)
{
	struct fixture *fixture = *state;
	const struct forget_options some = {
	    .mode = CHANGE_MAKE, .progress = stop_soon};
	struct forget_counts counts;
	int64_t ids[2], again[2];
	int i;

	delivery_configure_ordered(fixture, ids, "crm", "bi", NULL);
	for (i = 0; i < 250; i++)
		delivery_put(fixture, NULL, "a", i % 2 == 0 ? "7" : "8");
	delivery_route(fixture, ids, 2);
	delivery_settle(fixture, ids[1], OUTCOME_DELIVERED);
	delivery_settle(fixture, ids[1], OUTCOME_DELIVERED);
	delivery_settle(fixture, ids[1], OUTCOME_DEAD);
	delivery_configure_ordered(fixture, again, "crm", NULL);
	assert_int_equal(
	    store_forget(fixture->store, "bi", &some, &counts), STORE_OK);
	assert_false(counts.is_whole);
	assert_true(counts.pending > 0 && counts.pending < 247);
	delivery_check(fixture);
	assert_int_equal(
	    store_forget(fixture->store, "bi", &make, &counts), STORE_OK);
	assert_true(counts.is_whole);
	assert_int_equal(counts.delivered, 2);
	assert_int_equal(count_of(fixture, "deliveries"), 0);
	delivery_check(fixture);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_is_configured_or_not_known_is_not_forgotten),
	    CASE(what_is_left_of_a_removed_destination_is_erased),
	    CASE(a_stop_leaves_whole_lanes_and_the_rest_is_forgotten_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
