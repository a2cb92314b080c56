/*
 * Looking: the summary, lists and single events, and how they are found.
 */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "delivery_fixture.h"
#include "spool/store_internal.h"

/* Three events an hour apart: 1 of a/X delivered to crm and dead at bi, 2 of
 * b/- pending at both, 3 of a/Y new. */
static void
fill(struct fixture *fixture, int64_t *ids)
{
	delivery_configure(fixture, ids, "crm", "bi", NULL);
	delivery_put(fixture, "X", "ticket_a", "11");
	delivery_route(fixture, ids, 2);
	delivery_settle(fixture, ids[0], OUTCOME_DELIVERED);
	delivery_settle(fixture, ids[1], OUTCOME_DEAD);
	delivery_now_ms += HOUR_MS;
	delivery_put(fixture, NULL, "ticket_b", "22");
	delivery_route(fixture, ids, 2);
	delivery_now_ms += HOUR_MS;
	delivery_put(fixture, "Y", "note_a", NULL);
}

/* ---- lists ---- */

struct seen {
	struct store *store;
	struct buf text;
	size_t left; /* rows to take before it stops */
};

static bool
see_event(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct seen *seen = arg;
	size_t i;

	/* Nothing is read while a row is looked at: no long reader. */
	assert_int_equal(sqlite3_txn_state(seen->store->db, NULL), 0);
	assert_null(event->body);
	buf_add_format(&seen->text, "%s%lld", seen->text.len > 0 ? " " : "",
	    (long long)event->seq);
	for (i = 0; i < count; i++) {
		assert_string_equal(deliveries[i].event_id, event->id);
		buf_add_format(&seen->text, ",%s=%s", deliveries[i].destination,
		    delivery_state_name(deliveries[i].state));
	}
	return --seen->left > 0;
}

/* What a list of at most `most` rows gives. */
static void
expect_list_of(struct fixture *fixture, const struct list_filter *filter,
    size_t most, const char *expected)
{
	struct seen seen = {.store = fixture->store, .left = most};

	buf_init(&seen.text, 10000);
	if (store_list(fixture->store, filter, see_event, &seen) != STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	assert_string_equal(buf_text(&seen.text), expected);
	buf_free(&seen.text);
}

#define EXPECT_LIST(expected_, ...)                                            \
	expect_list_of(fixture, &(const struct list_filter){__VA_ARGS__},      \
	    1000, expected_)

static const char one[] = "1,bi=dead,crm=delivered";
static const char two[] = "2,bi=pending,crm=pending";

static void
a_list_is_newest_first_with_all_deliveries(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	EXPECT_LIST("", .limit = 0);
	fill(fixture, ids);
	EXPECT_LIST(
	    "3 2,bi=pending,crm=pending 1,bi=dead,crm=delivered", .limit = 0);
	EXPECT_LIST("3", .limit = 1);
	expect_list_of(
	    fixture, &(const struct list_filter){.limit = 3}, 1, "3");
}

static void
a_list_shows_what_the_filter_matches(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	fill(fixture, ids);
	EXPECT_LIST(one, .ticket = "11");
	EXPECT_LIST("", .ticket = "1");
	EXPECT_LIST("3", .type = "note_*");
	EXPECT_LIST(one, .type = "ticket_*", .community = "X");
	EXPECT_LIST(two, .type = "ticket_*", .community = "");
	EXPECT_LIST("3", .community = "[YZ]");
	EXPECT_LIST("", .note = "5");
	EXPECT_LIST(two, .destination = "crm", .limit = 1);
	EXPECT_LIST("", .destination = "nobody");
}

static void
a_list_shows_the_state_asked_for(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	fill(fixture, ids);
	EXPECT_LIST("3", .state = "new");
	EXPECT_LIST(two, .state = "routed", .limit = 1);
	EXPECT_LIST(one, .state = "routed", .ticket = "11");
	EXPECT_LIST(one, .state = "delivered");
	EXPECT_LIST(one, .state = "delivered", .destination = "crm");
	EXPECT_LIST("", .state = "delivered", .destination = "bi");
	EXPECT_LIST(one, .state = "dead");
	EXPECT_LIST(one, .state = "dead", .destination = "bi");
	EXPECT_LIST("", .state = "dead", .destination = "crm");
	EXPECT_LIST(two, .state = "pending");
	EXPECT_LIST("", .state = "pending", .ticket = "11");
	EXPECT_LIST("", .state = "dropped");
	EXPECT_LIST("", .state = "orphaned");
	delivery_configure(fixture, ids, "crm", NULL);
	EXPECT_LIST("2,bi=orphaned,crm=pending", .state = "orphaned");
	EXPECT_LIST("2,bi=orphaned,crm=pending", .state = "pending");
	EXPECT_LIST("", .state = "pending", .destination = "bi");
}

static void
a_list_keeps_to_a_span_of_time_even_if_the_clock_stepped(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	fill(fixture, ids);
	delivery_now_ms = BEGIN_MS - 1; /* two hours back */
	delivery_put(fixture, NULL, "b", NULL);
	EXPECT_LIST("3", .since_ms = BEGIN_MS + 2 * HOUR_MS);
	EXPECT_LIST("", .since_ms = BEGIN_MS + 2 * HOUR_MS + 1);
	EXPECT_LIST(
	    two, .since_ms = BEGIN_MS + 1, .until_ms = BEGIN_MS + HOUR_MS + 1);
	EXPECT_LIST(
	    "", .since_ms = BEGIN_MS + 1, .until_ms = BEGIN_MS + HOUR_MS);
	EXPECT_LIST("1,bi=dead,crm=delivered 4", .until_ms = BEGIN_MS + 1);
	EXPECT_LIST(one, .until_ms = BEGIN_MS + 1, .limit = 1);
	EXPECT_LIST("3", .state = "new", .since_ms = BEGIN_MS + 1);
	EXPECT_LIST("", .state = "dead", .since_ms = BEGIN_MS + 1);
	EXPECT_LIST(one, .state = "dead", .until_ms = BEGIN_MS + 1);
}

static void
a_state_nobody_knows_is_refused_with_the_names(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter filter = {.state = "sent"};

	assert_int_equal(store_list(fixture->store, &filter, see_event, NULL),
	    STORE_REFUSED);
	assert_non_null(strstr(store_why(fixture->store), "\"sent\""));
	assert_non_null(strstr(store_why(fixture->store), "orphaned"));
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
a_long_list_is_whole(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter all = {.limit = 0},
				 few = {.type = "ticket_b", .limit = 0};
	int i, seen = 0;

	for (i = 0; i < 700; i++)
		delivery_put(
		    fixture, NULL, i % 350 == 0 ? "ticket_b" : "a", NULL);
	assert_int_equal(
	    store_list(fixture->store, &all, count_row, &seen), STORE_OK);
	assert_int_equal(seen, 700);
	seen = 0;
	assert_int_equal(
	    store_list(fixture->store, &few, count_row, &seen), STORE_OK);
	assert_int_equal(seen, 2);
}

/* ---- one event ---- */

static void
an_event_is_found_by_the_beginning_of_its_id(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	char id[UUID_TEXT_SIZE], upper[UUID_TEXT_SIZE], *whole;
	size_t i;

	fill(fixture, ids);
	whole = fixture_query_text(
	    fixture->path, "SELECT id FROM event WHERE seq = 2");
	assert_int_equal(store_find_event(fixture->store, whole, id), STORE_OK);
	assert_string_equal(id, whole);
	snprintf(upper, sizeof upper, "%.13s", whole);
	for (i = 0; i < 13; i++)
		if (upper[i] >= 'a' && upper[i] <= 'f')
			upper[i] = (char)(upper[i] - 'a' + 'A');
	assert_int_equal(store_find_event(fixture->store, upper, id), STORE_OK);
	assert_string_equal(id, whole);
	assert_int_equal(
	    store_find_event(fixture->store, "018b", id), STORE_REFUSED);
	assert_non_null(strstr(store_why(fixture->store), "several"));
	assert_int_equal(
	    store_find_event(fixture->store, "018bffff", id), STORE_GONE);
	assert_int_equal(
	    store_find_event(fixture->store, "018g", id), STORE_GONE);
	assert_int_equal(store_find_event(fixture->store, "", id), STORE_GONE);
	free(whole);
}

static void
an_event_is_shown_with_all_that_belongs_to_it(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	struct event_detail detail;
	char *id;

	fill(fixture, ids);
	delivery_settle(fixture, ids[0], OUTCOME_RETRY);
	delivery_now_ms += 5000;
	delivery_settle(fixture, ids[0], OUTCOME_DELIVERED);
	id = fixture_query_text(
	    fixture->path, "SELECT id FROM event WHERE seq = 2");
	assert_int_equal(
	    store_show_event(fixture->store, id, &detail), STORE_OK);
	assert_string_equal(detail.event.id, id);
	assert_true(detail.event.is_routed);
	assert_null(detail.event.community);
	assert_int_equal(detail.event.body_bytes, 7);
	assert_memory_equal(detail.event.body, "{\"a\":1}", 7);
	assert_int_equal(detail.delivery_count, 2);
	assert_string_equal(detail.deliveries[0].destination, "bi");
	assert_null(detail.deliveries[0].last_outcome);
	assert_string_equal(detail.deliveries[1].last_outcome, "delivered");
	assert_int_equal(detail.deliveries[1].last_status, 204);
	assert_int_equal(detail.attempt_count, 2);
	assert_int_equal(detail.attempts[0].number, 1);
	assert_int_equal(detail.attempts[0].outcome, OUTCOME_RETRY);
	assert_string_equal(detail.attempts[0].error, "not now");
	assert_int_equal(detail.attempts[1].status, 204);
	assert_int_equal(detail.attempts[1].duration_ms, 5);
	assert_memory_equal(detail.attempts[1].answer, "answer", 6);
	store_free_detail(&detail);
	assert_int_equal(
	    store_show_event(fixture->store, "018b", &detail), STORE_GONE);
	free(id);
}

/* ---- the summary ---- */

static void
the_summary_counts_what_waits_and_since_when(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	struct store_summary summary;
	const struct destination_counts *bi, *crm;

	fill(fixture, ids);
	assert_int_equal(
	    store_summarize(fixture->store, delivery_now_ms, &summary),
	    STORE_OK);
	assert_int_equal(summary.events, 3);
	assert_int_equal(summary.events_new, 1);
	assert_int_equal(summary.events_last_hour, 2);
	assert_int_equal(summary.newest_event_ms, BEGIN_MS + 2 * HOUR_MS);
	assert_int_equal(summary.oldest_undelivered_ms, BEGIN_MS + HOUR_MS);
	assert_int_equal(summary.refused, 0);
	assert_true(summary.size_bytes > 0);
	assert_true(summary.free_bytes > 0);
	assert_int_equal(summary.schema_version, SCHEMA_VERSION);
	assert_false(summary.is_relay_running);
	assert_false(summary.has_failure_mark);
	assert_int_equal(summary.destination_count, 2);
	bi = &summary.destinations[0];
	crm = &summary.destinations[1];
	assert_string_equal(bi->name, "bi");
	assert_true(bi->is_configured);
	assert_int_equal(bi->pending, 1);
	assert_int_equal(bi->delivered, 0);
	assert_int_equal(bi->dead, 1);
	assert_int_equal(bi->dropped, 0);
	assert_int_equal(bi->oldest_pending_ms, BEGIN_MS + HOUR_MS);
	assert_int_equal(bi->next_at_ms, BEGIN_MS + HOUR_MS);
	assert_int_equal(bi->last_attempt_ms, BEGIN_MS);
	assert_int_equal(bi->last_delivered_ms, 0);
	assert_int_equal(bi->last_status, 503);
	assert_string_equal(bi->last_error, "not now");
	assert_int_equal(crm->delivered, 1);
	assert_int_equal(crm->last_delivered_ms, BEGIN_MS);
	assert_int_equal(crm->last_status, 204);
	assert_null(crm->last_error);
	store_free_summary(&summary);
}

static void
a_new_event_counts_as_undelivered_and_an_orphaned_one_does_not(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	struct store_summary summary;

	fill(fixture, ids);
	delivery_configure(fixture, ids, "other", NULL);
	assert_int_equal(
	    store_summarize(fixture->store, delivery_now_ms, &summary),
	    STORE_OK);
	assert_int_equal(summary.oldest_undelivered_ms, BEGIN_MS + 2 * HOUR_MS);
	assert_false(summary.destinations[0].is_configured);
	assert_int_equal(summary.destinations[0].pending, 1);
	store_free_summary(&summary);
	delivery_route(fixture, ids, 0);
	assert_int_equal(
	    store_summarize(fixture->store, delivery_now_ms, &summary),
	    STORE_OK);
	assert_int_equal(summary.oldest_undelivered_ms, 0);
	assert_int_equal(summary.events_new, 0);
	store_free_summary(&summary);
}

static void
the_summary_sees_a_relay_without_disturbing_it(void **state)
{
	struct fixture *fixture = *state;
	struct store_summary summary;
	int fd = store_lock_relay(fixture->path, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    store_summarize(fixture->store, delivery_now_ms, &summary),
	    STORE_OK);
	assert_true(summary.is_relay_running);
	assert_int_equal(summary.events, 0);
	assert_int_equal(summary.newest_event_ms, 0);
	store_free_summary(&summary);
	close(fd);
	assert_int_equal(
	    store_summarize(fixture->store, delivery_now_ms, &summary),
	    STORE_OK);
	assert_false(summary.is_relay_running);
	store_free_summary(&summary);
}

/* ---- refused bodies ---- */

static bool
see_refusal(void *arg, const struct refusal *refusal)
{
	struct seen *seen = arg;

	buf_add_format(&seen->text, "%lld %d %s %zu/%lld %.*s;",
	    (long long)refusal->seq, refusal->status, refusal->why,
	    refusal->body_bytes, (long long)refusal->sent_bytes,
	    refusal->body != NULL ? (int)refusal->body_bytes : 0,
	    refusal->body != NULL ? (const char *)refusal->body : "");
	return true;
}

static void
refused_bodies_are_listed_newest_first_and_shown_by_number(void **state)
{
	struct fixture *fixture = *state;
	struct refusal refusal = {.received_at_ms = BEGIN_MS,
	    .status = 400,
	    .why = "not JSON",
	    .body = "{,}",
	    .body_bytes = 3,
	    .sent_bytes = 3};
	struct seen seen = {.store = fixture->store};

	buf_init(&seen.text, 10000);
	store_refuse(fixture->store, &refusal);
	refusal.status = 413;
	refusal.why = "too long";
	refusal.sent_bytes = -1;
	store_refuse(fixture->store, &refusal);
	assert_int_equal(
	    store_list_refused(fixture->store, 0, see_refusal, &seen),
	    STORE_OK);
	assert_string_equal(
	    buf_text(&seen.text), "2 413 too long 3/-1 ;1 400 not JSON 3/3 ;");
	buf_clear(&seen.text);
	assert_int_equal(
	    store_list_refused(fixture->store, 1, see_refusal, &seen),
	    STORE_OK);
	assert_string_equal(buf_text(&seen.text), "1 400 not JSON 3/3 {,};");
	assert_int_equal(
	    store_list_refused(fixture->store, 9, see_refusal, &seen),
	    STORE_GONE);
	buf_free(&seen.text);
}

/* ---- how they are found ---- */

/* Fails if the plan of the statement walks through a table that grows. */
static void
check_plan(struct fixture *fixture, const char *sql)
{
	static const char *const growing[] = {
	    "events", "deliveries", "attempts", "settled"};
	sqlite3_stmt *plan = NULL;
	char *explain = xasprintf("EXPLAIN QUERY PLAN %s", sql);
	size_t i;

	if (sqlite3_prepare_v2(fixture->store->db, explain, -1, &plan, NULL) !=
	    SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(fixture->store->db));
	while (sqlite3_step(plan) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(plan, 3);

		for (i = 0; i < sizeof growing / sizeof *growing; i++)
			if (strncmp(detail, "SCAN ", 5) == 0 &&
			    strncmp(detail + 5, growing[i],
				strlen(growing[i])) == 0)
				fail_msg("%s: %s", detail, sql);
	}
	sqlite3_finalize(plan);
	free(explain);
}

static void
no_statement_walks_through_a_table_that_grows(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter dead = {.state = "dead", .limit = 1},
				 since = {.since_ms = 1, .limit = 1},
				 newest = {.limit = 1};
	const struct retention retention = {
	    delivery_now_ms + 365 * DAY_MS, DAY_MS, DAY_MS, DAY_MS};
	struct store_summary summary;
	struct event_detail detail;
	int64_t ids[2], number;
	char id[UUID_TEXT_SIZE];
	bool is_so;
	int count = 0;
	size_t i;

	fill(fixture, ids);
	for (i = 0; i < 22; i++) {
		delivery_settle(fixture, ids[0], OUTCOME_RETRY);
		delivery_now_ms += 5000;
	}
	delivery_settle(fixture, ids[0], OUTCOME_ABANDONED);
	store_read_next_at(fixture->store, ids[0], NULL, 0, &number);
	store_read_pending(fixture->store, &is_so);
	store_summarize(fixture->store, delivery_now_ms, &summary);
	store_free_summary(&summary);
	store_list(fixture->store, &dead, count_row, &count);
	store_list(fixture->store, &since, count_row, &count);
	store_list(fixture->store, &newest, count_row, &count);
	assert_int_equal(count, 3);
	store_find_event(fixture->store, "018b", id);
	store_show_event(fixture->store, "018b", &detail);
	store_erase_old(fixture->store, &retention, &number, &is_so);
	assert_int_equal(number, 1);
	assert_true(fixture->store->statement_count > 30);
	for (i = 0; i < fixture->store->statement_count; i++)
		check_plan(fixture, fixture->store->statements[i].sql);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_list_is_newest_first_with_all_deliveries),
	    CASE(a_list_shows_what_the_filter_matches),
	    CASE(a_list_shows_the_state_asked_for),
	    CASE(a_list_keeps_to_a_span_of_time_even_if_the_clock_stepped),
	    CASE(a_state_nobody_knows_is_refused_with_the_names),
	    CASE(a_long_list_is_whole),
	    CASE(an_event_is_found_by_the_beginning_of_its_id),
	    CASE(an_event_is_shown_with_all_that_belongs_to_it),
	    CASE(the_summary_counts_what_waits_and_since_when),
	    CASE(
		a_new_event_counts_as_undelivered_and_an_orphaned_one_does_not),
	    CASE(the_summary_sees_a_relay_without_disturbing_it),
	    CASE(refused_bodies_are_listed_newest_first_and_shown_by_number),
	    CASE(no_statement_walks_through_a_table_that_grows),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
