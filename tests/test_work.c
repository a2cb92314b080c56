/*
 * The relay's work without its process: what a turn looks at.
 */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "conf/texts.h"
#include "delivery_fixture.h"
#include "deliver/deliver.h"
#include "relay/work.h"
#include "spool/store_internal.h"

#define MANY         200
#define TURN_MAX_MS  50
#define TURNS_MAX_MS 20000

/* A configuration of `count` destinations d0, d1, ... Each wants the events
 * that are named as it is, and nobody listens at its address. */
static struct config *
make_config(size_t count)
{
	struct config *config = xcalloc(1, sizeof *config);
	size_t i;

	config->destinations = xcalloc(count, sizeof *config->destinations);
	config->destination_count = count;
	for (i = 0; i < count; i++) {
		struct destination_config *to = &config->destinations[i];

		to->name = xasprintf("d%zu", i);
		to->url = xasprintf("http://127.0.0.1:1/");
		text_list_add(&to->events, to->name, strlen(to->name));
		text_list_add(&to->communities, "*", 1);
		to->timeout_ms = 5000;
		to->concurrency = 8;
		to->retry_for_ms = HOUR_MS;
		to->allow_private = true;
	}
	return config;
}

/* Works until nothing is left to do for now. */
static void
work_off(struct work *work)
{
	int64_t end_ms = clock_mono_ms() + TURNS_MAX_MS, wait_ms = 0;

	do {
		assert_int_equal(work_turn(work, &wait_ms), STORE_OK);
		deliver_wait(work->deliver, NULL, 0,
		    wait_ms < TURN_MAX_MS ? (int)wait_ms : TURN_MAX_MS);
		assert_true(clock_mono_ms() < end_ms);
	} while (wait_ms == 0 || work_is_unfinished(work));
}

/* How often a statement was run since this was last asked. */
static int
count_runs(struct store *store)
{
	sqlite3_stmt *statement = NULL;
	int count = 0;

	while ((statement = sqlite3_next_stmt(store->db, statement)) != NULL)
		count +=
		    sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 1);
	return count;
}

/* The statements that an event costs which d0 alone wants. */
static int
cost_of_an_event(struct fixture *fixture, size_t destination_count)
{
	struct config *config = make_config(destination_count);
	struct work work;
	int count;

	assert_int_equal(work_open(&work, config, fixture->store), STORE_OK);
	work_off(&work);
	delivery_put(fixture, NULL, "d0", NULL);
	count_runs(fixture->store);
	work_look_for_new(&work);
	work_off(&work);
	count = count_runs(fixture->store);
	work_close(&work);
	config_drop(config);
	return count;
}

static void
an_event_costs_nothing_for_those_that_do_not_want_it(void **state)
{
	struct fixture *fixture = *state;
	int one = cost_of_an_event(fixture, 1);
	int many = cost_of_an_event(fixture, MANY);

	assert_int_equal(
	    fixture_query(fixture->path, "SELECT sum(attempts) FROM delivery"),
	    2);
	if (many > one + 2)
		fail_msg("%d statements, with one destination %d", many, one);
}

static void
whatever_may_have_changed_is_looked_at(void **state)
{
	struct fixture *fixture = *state;
	struct config *config = make_config(3);
	struct work work;
	int before;

	assert_int_equal(work_open(&work, config, fixture->store), STORE_OK);
	assert_int_equal(
	    store_pause(fixture->store, "d1", NULL, "why"), STORE_OK);
	work_look_again(&work);
	work_off(&work);
	delivery_put(fixture, NULL, "d0", NULL);
	delivery_put(fixture, NULL, "d1", NULL);
	work_look_for_new(&work);
	work_off(&work);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT count(*) FROM delivery WHERE attempts > "
			     "0 AND destination = 'd0'"),
	    1);
	before = (int)fixture_query(
	    fixture->path, "SELECT sum(attempts) FROM delivery");
	assert_int_equal(before, 1);
	assert_int_equal(store_resume(fixture->store, "d1"), STORE_OK);
	work_look_again(&work);
	work_off(&work);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT count(*) FROM delivery WHERE attempts > "
			     "0 AND destination = 'd1'"),
	    1);
	work_close(&work);
	config_drop(config);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(an_event_costs_nothing_for_those_that_do_not_want_it),
	    CASE(whatever_may_have_changed_is_looked_at),
	};

	return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
