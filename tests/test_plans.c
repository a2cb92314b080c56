/*
 * How SQLite goes about what we ask of it: every statement of src/spool is
 * prepared by using all there is, and its plan looked at. What a statement
 * costs must not depend on how much is kept.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "delivery_fixture.h"
#include "spool/store_internal.h"

/* ---- all there is ---- */

static void
bring_forward(struct fixture *fixture, int64_t id)
{
	struct forward forward = {.which = FORWARD_FAILED};
	bool is_more;

	assert_int_equal(
	    store_bring_forward(fixture->store, id, &forward, 10, &is_more),
	    STORE_OK);
}

/* After a while nothing is due any more, and what waits is looked at. */
static void
probe(struct fixture *fixture, int64_t id)
{
	struct probe_choice choice = {.last_seq = 0};
	int64_t at_ms;
	struct due due;

	for (; choice.which < PROBE_TURN_COUNT; choice.which++) {
		store_read_probe(
		    fixture->store, id, &choice, delivery_now_ms, &due);
		store_free_due(&due);
	}
	store_read_probe_at(fixture->store, id, 0, &at_ms);
	assert_true(at_ms <= 0);
}

static void
relay(struct fixture *fixture, const int64_t *ids)
{
	struct destination *states;
	int64_t number;
	size_t count;
	bool is_so;
	int i;

	for (i = 0; i < 22; i++) {
		delivery_settle(fixture, ids[0], OUTCOME_RETRY);
		delivery_now_ms += 5000;
	}
	delivery_settle(fixture, ids[0], OUTCOME_ABANDONED);
	store_read_next_at(fixture->store, ids[0], NULL, 0, &number);
	store_read_pending(fixture->store, &is_so);
	bring_forward(fixture, ids[0]);
	probe(fixture, ids[0]);
	store_pause(fixture->store, "crm", "jane", "why");
	store_resume(fixture->store, "crm");
	store_hold(fixture->store, ids[0], delivery_now_ms + 1000);
	store_read_destinations(fixture->store, &states, &count);
	store_free_destinations(states, count);
}

/* An event with all that is known of it. */
static void
show(struct fixture *fixture, int64_t seq)
{
	struct event_detail detail;
	char *id = delivery_id(fixture, seq);

	assert_int_equal(
	    store_show_event(fixture->store, id, &detail), STORE_OK);
	store_free_detail(&detail);
	free(id);
}

/* Some that are behind, and order ends. */
static void
end_order(struct fixture *fixture, int64_t *ids)
{
	bool is_more;

	delivery_configure_ordered(fixture, ids, "crm", "bi", NULL);
	delivery_put(fixture, NULL, "a", "1");
	delivery_put(fixture, NULL, "a", "1");
	delivery_route(fixture, ids, 2);
	show(fixture, 5);
	delivery_configure(fixture, ids, "crm", "bi", NULL);
	assert_int_equal(
	    store_release_behind(fixture->store, &is_more), STORE_OK);
}

static bool
count_row(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	(void)event;
	(void)deliveries;
	(void)count;
	++*(int *)arg;
	return true;
}

static void
look(struct fixture *fixture)
{
	const struct list_filter dead = {.state = LIST_STATE_DEAD, .limit = 1},
				 since = {.since = {true, 1}, .limit = 1},
				 newest = {.limit = 1};
	struct store_summary summary;
	char id[UUID_TEXT_SIZE];
	int64_t number, unwanted;
	int count = 0;

	store_summarize(fixture->store, delivery_now_ms, &summary);
	store_free_summary(&summary);
	store_list(fixture->store, &dead, count_row, &count);
	store_list(fixture->store, &since, count_row, &count);
	store_list(fixture->store, &newest, count_row, &count);
	assert_int_equal(count, 3);
	store_find_event(fixture->store, "018b", id);
	store_find_newest(fixture->store, id);
	store_count_unwanted(fixture->store, 100, &number, &unwanted);
}

static void
change(struct fixture *fixture)
{
	const struct list_filter delivered = {.state = LIST_STATE_DELIVERED},
				 pending = {.state = LIST_STATE_PENDING},
				 all = {0};
	struct change_options options = {.mode = CHANGE_MAKE};
	struct change_counts counts;
	int64_t ids[3];
	char *id = delivery_id(fixture, 2);

	delivery_configure(fixture, ids, "crm", "bi", "new", NULL);
	store_replay(fixture->store, &delivered, &options, &counts);
	assert_int_equal(counts.replayed, 1);
	delivery_settle(fixture, ids[0], OUTCOME_RETRY);
	store_replay(fixture->store, &pending, &options, &counts);
	assert_int_equal(counts.hurried, 1);
	options.event_id = id;
	store_drop(fixture->store, &all, &options, &counts);
	assert_int_equal(counts.dropped, 2);
	options.event_id = NULL;
	options.to = "new";
	store_replay(fixture->store, &all, &options, &counts);
	assert_true(counts.made > 0);
	options.to = NULL;
	store_drop(fixture->store, &all, &options, &counts);
	assert_true(counts.dropped > 0);
	free(id);
}

static void
keep(struct fixture *fixture)
{
	const struct retention retention = {
	    delivery_now_ms + 365 * DAY_MS, DAY_MS, DAY_MS, DAY_MS};
	int64_t erased;
	bool is_more;

	store_erase_old(fixture->store, &retention, &erased, &is_more);
	assert_true(erased > 0);
}

static void
forget(struct fixture *fixture)
{
	const struct forget_options options = {.mode = CHANGE_MAKE};
	struct forget_counts counts;
	int64_t ids[1];

	delivery_configure(fixture, ids, "new", NULL);
	assert_int_equal(
	    store_forget(fixture->store, "crm", &options, &counts), STORE_OK);
	assert_true(counts.dropped > 0);
}

/* ---- the plans ---- */

/* Where it makes no difference that all of it is read. */
static bool
is_small(const char *name)
{
	static const char *const small[] = {"destinations", "progress",
	    "refusals", "sqlite_sequence", "CONSTANT ROW", "(subquery"};
	size_t i;

	for (i = 0; i < sizeof small / sizeof *small; i++)
		if (strncmp(name, small[i], strlen(small[i])) == 0)
			return true;
	return false;
}

/* Fails if the plan walks through a table that grows, or sorts. */
static void
check_plan(struct fixture *fixture, const char *sql)
{
	sqlite3_stmt *plan = NULL;
	char *explain = xasprintf("EXPLAIN QUERY PLAN %s", sql);

	if (sqlite3_prepare_v2(fixture->store->db, explain, -1, &plan, NULL) !=
	    SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(fixture->store->db));
	while (sqlite3_step(plan) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(plan, 3);

		if (getenv("HOOKSPOOL_TEST_PLANS") != NULL)
			print_message("# %s\n", detail);
		if (strncmp(detail, "SCAN ", 5) == 0 && !is_small(detail + 5))
			fail_msg("%s: %s", detail, sql);
		if (strstr(detail, "TEMP B-TREE") != NULL &&
		    strstr(sql, "ORDER BY name") == NULL)
			fail_msg("%s: %s", detail, sql);
	}
	sqlite3_finalize(plan);
	free(explain);
}

static void
no_statement_walks_through_a_table_that_grows(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	size_t i;

	delivery_fill(fixture, ids);
	relay(fixture, ids);
	look(fixture);
	end_order(fixture, ids);
	change(fixture);
	forget(fixture);
	keep(fixture);
	assert_true(fixture->store->statement_count > 60);
	for (i = 0; i < fixture->store->statement_count; i++) {
		const char *sql = fixture->store->statements[i].sql;

		if (getenv("HOOKSPOOL_TEST_PLANS") != NULL)
			print_message("# -- %s\n", sql);
		check_plan(fixture, sql);
	}
}

static void
no_statement_is_prepared_anew_for_other_values(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	size_t i;

	delivery_fill(fixture, ids);
	relay(fixture, ids);
	look(fixture);
	look(fixture);
	for (i = 0; i < fixture->store->statement_count; i++) {
		const struct statement *known = &fixture->store->statements[i];

		if (strncmp(known->sql, "PRAGMA", 6) != 0 &&
		    sqlite3_stmt_status(
			known->handle, SQLITE_STMTSTATUS_REPREPARE, 0) != 0)
			fail_msg("%s", known->sql);
	}
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(no_statement_walks_through_a_table_that_grows),
	    CASE(no_statement_is_prepared_anew_for_other_values),
	};

	return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
