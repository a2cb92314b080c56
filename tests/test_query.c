/*
 * Looking: single events, the summary, refused bodies; and how all that is
 * looked for is found.
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

/* ---- one event ---- */

static void
an_event_is_found_by_the_beginning_of_its_id(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	char id[UUID_TEXT_SIZE], upper[UUID_TEXT_SIZE], *whole;
	size_t i;

	delivery_fill(fixture, ids);
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
rename_event(struct fixture *fixture, int seq, const char *id)
{
	char *sql =
	    xasprintf("UPDATE events SET id = '%s' WHERE seq = %d", id, seq);

	delivery_exec(fixture, sql);
	free(sql);
}

#define FIRST  "018bcfe5-6800-7abc-8def-00000abcdef1"
#define SECOND "018bcfe5-6801-7abc-8def-11111abcdef1"
#define THIRD  "018bcfe5-6802-7abc-8def-11112018bcfe"

static void
expect_found(struct fixture *fixture, const char *part, const char *wanted)
{
	char id[UUID_TEXT_SIZE] = "";

	if (store_find_event(fixture->store, part, id) != STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	assert_string_equal(id, wanted);
}

static void
expect_several(struct fixture *fixture, const char *part, const char *first,
    const char *second)
{
	char id[UUID_TEXT_SIZE];
	const char *why = store_why(fixture->store);

	assert_int_equal(
	    store_find_event(fixture->store, part, id), STORE_REFUSED);
	why = store_why(fixture->store);
	assert_non_null(strstr(why, first));
	assert_non_null(strstr(why, second));
}

static void
an_event_is_found_by_the_end_of_its_id(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	char id[UUID_TEXT_SIZE];

	delivery_fill(fixture, ids);
	rename_event(fixture, 1, FIRST);
	rename_event(fixture, 2, SECOND);
	rename_event(fixture, 3, THIRD);
	expect_found(fixture, "0abcdef1", FIRST);
	expect_found(fixture, "1ABCDEF1", SECOND);
	expect_found(fixture, "-8def-11111abcdef1", SECOND);
	expect_found(fixture, "e", THIRD);
	expect_several(fixture, "abcdef1", SECOND, FIRST);
	expect_several(fixture, "f1", SECOND, FIRST);
	/* One ends as the others begin: who means which is not known. */
	expect_several(fixture, "018bcfe", THIRD, FIRST);
	/* With its dash it is no end. */
	expect_several(fixture, "018bcfe5-680", THIRD, SECOND);
	expect_found(fixture, "018bcfe5-6801", SECOND);
	assert_int_equal(
	    store_find_event(fixture->store, "8def", id), STORE_GONE);
	assert_int_equal(
	    store_find_event(fixture->store, "8def-0", id), STORE_GONE);
	assert_int_equal(store_find_newest(fixture->store, id), STORE_OK);
	assert_string_equal(id, THIRD);
	delivery_exec(fixture, "DELETE FROM events");
	assert_int_equal(store_find_newest(fixture->store, id), STORE_GONE);
	assert_int_equal(
	    store_find_event(fixture->store, "0abcdef1", id), STORE_GONE);
}

/* More of them than are looked at at once: ambiguity is found over all. */
static void
the_end_of_an_id_is_looked_for_among_all(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	char id[UUID_TEXT_SIZE];

	delivery_fill(fixture, ids);
	delivery_exec(fixture,
	    "INSERT INTO events (id, received_at_ms, event_type, body) "
	    "WITH RECURSIVE n(i) AS (SELECT 100000 UNION ALL SELECT i + 1 "
	    "FROM n WHERE i < 125000) SELECT '018bcfe5-6803-7abc-8def-000000' "
	    "|| i, 1, 'x', x'00' FROM n");
	expect_found(
	    fixture, "0100001", "018bcfe5-6803-7abc-8def-000000100001");
	expect_found(
	    fixture, "0125000", "018bcfe5-6803-7abc-8def-000000125000");
	rename_event(fixture, 1, "018bcfe5-6800-7abc-8def-111111125000");
	expect_several(fixture, "125000", "-000000125000", "-111111125000");
	assert_int_equal(
	    store_find_event(fixture->store, "00", id), STORE_REFUSED);
	assert_non_null(strstr(store_why(fixture->store), " and more;"));
}

static void
an_event_is_shown_with_all_that_belongs_to_it(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	struct event_detail detail;
	char *id;

	delivery_fill(fixture, ids);
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
	const struct destination *bi, *crm;

	delivery_fill(fixture, ids);
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

	delivery_fill(fixture, ids);
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
	int fd = store_lock_relay(fixture->path, 0, "test");

	assert_true(fd >= 0);
	assert_int_equal(
	    store_summarize(fixture->store, delivery_now_ms, &summary),
	    STORE_OK);
	assert_true(summary.is_relay_running);
	assert_int_equal(summary.relay.pid, getpid());
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
	struct buf *seen = arg;

	buf_add_format(seen, "%lld %d %s %zu/%lld %.*s;",
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
	struct buf seen;

	buf_init(&seen, 10000);
	store_refuse(fixture->store, &refusal);
	refusal.status = 413;
	refusal.why = "too long";
	refusal.sent_bytes = -1;
	store_refuse(fixture->store, &refusal);
	assert_int_equal(
	    store_list_refused(fixture->store, 0, see_refusal, &seen),
	    STORE_OK);
	assert_string_equal(
	    buf_text(&seen), "2 413 too long 3/-1 ;1 400 not JSON 3/3 ;");
	buf_clear(&seen);
	assert_int_equal(
	    store_list_refused(fixture->store, 1, see_refusal, &seen),
	    STORE_OK);
	assert_string_equal(buf_text(&seen), "1 400 not JSON 3/3 {,};");
	assert_int_equal(
	    store_list_refused(fixture->store, 9, see_refusal, &seen),
	    STORE_GONE);
	buf_free(&seen);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(an_event_is_found_by_the_beginning_of_its_id),
	    CASE(an_event_is_found_by_the_end_of_its_id),
	    CASE(the_end_of_an_id_is_looked_for_among_all),
	    CASE(an_event_is_shown_with_all_that_belongs_to_it),
	    CASE(the_summary_counts_what_waits_and_since_when),
	    CASE(
		a_new_event_counts_as_undelivered_and_an_orphaned_one_does_not),
	    CASE(the_summary_sees_a_relay_without_disturbing_it),
	    CASE(refused_bodies_are_listed_newest_first_and_shown_by_number),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
