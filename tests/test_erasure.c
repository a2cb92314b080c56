/*
 * Erasing what a person asks for: what is found, and what becomes of the rest.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "delivery_fixture.h"
#include "event/event.h"
#include "spool/store_internal.h"

static const struct erase_options make = {.mode = CHANGE_MAKE};
static const struct erase_options dry_run = {.mode = CHANGE_COUNT};

static const char jane[] =
    "{\"EventType\":\"x\",\"Events\":[{},{\"Ticket\":{\"Id\":12,"
    "\"Author\":{\"Email\":\"Jane@example.org\"}}}]}";
static const char john[] =
    "{\"EventType\":\"x\",\"Events\":[{\"NoteId\":3},{\"Ticket\":{\"Id\":13,"
    "\"Author\":{\"Email\":\"john@example.org\"}}}]}";

/* Erases, and fails the test unless it is clean. */
static struct erase_counts
erase(struct fixture *fixture, const struct erasure *erasure)
{
	struct erase_counts counts;

	if (store_erase(fixture->store, erasure, &make, &counts) != STORE_OK ||
	    !counts.is_clean)
		fail_msg("%s", store_why(fixture->store));
	delivery_check(fixture);
	return counts;
}

static int64_t
count(struct fixture *fixture, const char *table)
{
	char *sql = xasprintf("SELECT count(*) FROM %s", table);
	int64_t rows = fixture_query(fixture->path, sql);

	free(sql);
	return rows;
}

static int64_t
count_new(struct fixture *fixture)
{
	struct store_summary summary;
	int64_t events_new;

	if (store_summarize(fixture->store, delivery_now_ms, &summary) !=
	    STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	events_new = summary.events_new;
	assert_int_equal(
	    events_new, fixture_query(fixture->path,
			    "SELECT count(*) FROM event WHERE state = 'new'"));
	assert_int_equal(summary.events, count(fixture, "events"));
	store_free_summary(&summary);
	return events_new;
}

static void
refuse(struct fixture *fixture, const char *body, size_t sent_bytes)
{
	const struct refusal refusal = {.received_at_ms = delivery_now_ms,
	    .status = 400,
	    .why = "no",
	    .body = body,
	    .body_bytes = strlen(body),
	    .sent_bytes = (int64_t)sent_bytes};

	store_refuse(fixture->store, &refusal);
}

/* ---- what is found ---- */

static void
an_event_is_found_by_any_of_its_elements(void **state)
{
	struct fixture *fixture = *state;
	const struct erasure by_ticket = {.ticket = "12"};
	const struct erasure by_email = {.email = "JOHN@EXAMPLE.ORG"};
	const struct erasure by_note = {.note = "3"};
	struct erase_counts counts;

	fixture_store(fixture->store, jane);
	fixture_store(fixture->store, john);
	fixture_store(fixture->store, john);
	counts = erase(fixture, &by_ticket);
	assert_int_equal(counts.events, 1);
	assert_int_equal(counts.looked_at, 3);
	assert_int_equal(counts.to_look_at, 3);
	assert_int_equal(erase(fixture, &by_ticket).events, 0);
	assert_int_equal(count(fixture, "events"), 2);
	assert_int_equal(erase(fixture, &by_email).events, 2);
	fixture_store(fixture->store, john);
	assert_int_equal(erase(fixture, &by_note).events, 1);
	assert_int_equal(count(fixture, "events"), 0);
}

static void
all_conditions_have_to_hold(void **state)
{
	struct fixture *fixture = *state;
	struct erasure erasure = {.note = "3",
	    .email = "jane@example.org",
	    .before = {true, BEGIN_MS}};
	const struct erasure long_ago = {.before = {true, 0}};

	fixture_store(fixture->store, jane);
	fixture_store(fixture->store, john);
	/* A bound that is given holds, however old it is. */
	assert_int_equal(erase(fixture, &long_ago).events, 0);
	assert_int_equal(erase(fixture, &erasure).events, 0);
	erasure.email = "john@example.org";
	assert_int_equal(erase(fixture, &erasure).events, 0);
	erasure.before.ms = BEGIN_MS + 1;
	assert_int_equal(erase(fixture, &erasure).events, 1);
	erasure = (struct erasure){.before = {true, BEGIN_MS + 1}};
	assert_int_equal(erase(fixture, &erasure).events, 1);
}

static void
nothing_or_an_empty_word_is_no_condition(void **state)
{
	struct fixture *fixture = *state;
	const struct erasure none = {.ticket = NULL}, empty = {.email = ""},
			     text = {.match = "jane"};
	struct erase_counts counts;

	fixture_store(fixture->store, jane);
	assert_int_equal(
	    store_erase(fixture->store, &none, &make, &counts), STORE_REFUSED);
	assert_int_equal(
	    store_erase(fixture->store, &empty, &make, &counts), STORE_REFUSED);
	assert_int_equal(
	    store_erase(fixture->store, &text, &make, &counts), STORE_REFUSED);
	assert_int_equal(
	    store_erase(fixture->store, &text, &dry_run, &counts), STORE_OK);
	assert_int_equal(counts.events, 1);
	assert_int_equal(count(fixture, "events"), 1);
}

static void
a_dry_run_counts_the_same_and_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct erasure erasure = {.email = "jane@example.org"};
	struct erase_counts dry, wet;
	int64_t ids[2];

	delivery_configure(fixture, ids, "crm", "bi", NULL);
	fixture_store(fixture->store, jane);
	delivery_route(fixture, ids, 2);
	fixture_store(fixture->store, jane);
	fixture_store(fixture->store, john);
	refuse(fixture, "jane@example.org", 16);
	if (store_erase(fixture->store, &erasure, &dry_run, &dry) != STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	assert_int_equal(count(fixture, "events"), 3);
	assert_int_equal(count(fixture, "refusals"), 1);
	wet = erase(fixture, &erasure);
	assert_int_equal(wet.events, 2);
	assert_int_equal(wet.events_new, 1);
	assert_int_equal(wet.undelivered, 2);
	assert_int_equal(wet.refused, 1);
	assert_memory_equal(&dry, &wet, sizeof dry);
}

/* ---- what becomes of the rest ---- */

static void
what_is_pending_goes_and_lets_the_next_of_its_lane_pass(void **state)
{
	struct fixture *fixture = *state;
	const struct erasure erasure = {.email = "jane@example.org"};
	struct settlement settlement;
	struct due due;
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	fixture_store(fixture->store, jane);
	fixture_store(fixture->store, john);
	delivery_route(fixture, &id, 1);
	due = delivery_take(fixture, id);
	assert_int_equal(due.seq, 1);
	assert_int_equal(erase(fixture, &erasure).undelivered, 1);
	settlement = delivery_settlement(&due, OUTCOME_DELIVERED);
	store_free_due(&due);
	assert_int_equal(
	    store_settle(fixture->store, &settlement, 1), STORE_OK);
	assert_false(settlement.is_applied);
	assert_int_equal(delivery_settle(fixture, id, OUTCOME_DELIVERED), 2);
	delivery_check(fixture);
}

static void
what_is_new_may_go_and_the_counts_stay_right(void **state)
{
	struct fixture *fixture = *state;
	const struct erasure erasure = {.email = "jane@example.org"};
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	fixture_store(fixture->store, jane);
	delivery_route(fixture, &id, 1);
	fixture_store(fixture->store, jane);
	fixture_store(fixture->store, john);
	fixture_store(fixture->store, jane);
	assert_int_equal(count_new(fixture), 3);
	assert_int_equal(erase(fixture, &erasure).events_new, 2);
	assert_int_equal(count_new(fixture), 1);
	fixture_store(fixture->store, john);
	assert_int_equal(count_new(fixture), 2);
	delivery_route(fixture, &id, 1);
	assert_int_equal(count_new(fixture), 0);
	fixture_store(fixture->store, jane);
	assert_int_equal(erase(fixture, &erasure).events_new, 1);
	assert_int_equal(count_new(fixture), 0);
	fixture_store(fixture->store, john);
	assert_int_equal(count_new(fixture), 1);
	delivery_route(fixture, &id, 1);
	assert_int_equal(count_new(fixture), 0);
	delivery_check(fixture);
}

static void
refused_bodies_are_searched_whatever_they_are(void **state)
{
	struct fixture *fixture = *state;
	const struct erasure erasure = {.email = "jane@example.org"};
	struct erase_counts counts;

	refuse(fixture, jane, strlen(jane));
	refuse(fixture, john, strlen(john));
	refuse(fixture, "{\"Email\":\"jane\\u0040example.org", 99999);
	refuse(fixture, "", 0);
	counts = erase(fixture, &erasure);
	assert_int_equal(counts.refused, 2);
	assert_int_equal(counts.refused_text, 1);
	assert_int_equal(count(fixture, "refusals"), 2);
}

static void
answers_to_other_events_that_speak_of_the_same_are_emptied(void **state)
{
	struct fixture *fixture = *state;
	static const char *const answers[] = {"thanks, jane@example.org",
	    "thanks, john@example.org", NULL, "thanks, jane@example.org"};
	const struct erasure erasure = {.email = "jane@example.org"};
	struct erase_counts dry;
	size_t i;
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < 4; i++) {
		struct settlement settlement;
		struct due due;

		fixture_store(fixture->store, i < 3 ? john : jane);
		delivery_route(fixture, &id, 1);
		due = delivery_take(fixture, id);
		settlement = delivery_settlement(&due, OUTCOME_DELIVERED);
		settlement.answer = answers[i];
		settlement.answer_bytes =
		    answers[i] != NULL ? strlen(answers[i]) : 0;
		assert_int_equal(
		    store_settle(fixture->store, &settlement, 1), STORE_OK);
		store_free_due(&due);
	}
	assert_int_equal(
	    store_erase(fixture->store, &erasure, &dry_run, &dry), STORE_OK);
	assert_int_equal(dry.answers, 1);
	assert_int_equal(dry.events, 1);
	assert_int_equal(erase(fixture, &erasure).answers, 1);
	assert_int_equal(count(fixture, "attempts"), 3);
	assert_int_equal(
	    count(fixture, "attempts WHERE answer IS NOT NULL"), 1);
	assert_int_equal(count(fixture, "events"), 3);
}

static bool
stop_at_once(void *arg, const struct erase_counts *counts)
{
	++*(int *)arg;
	return counts->events == 0;
}

static void
it_can_be_stopped_between_the_steps(void **state)
{
	struct fixture *fixture = *state;
	const struct erasure erasure = {.email = "jane@example.org"};
	int calls = 0, i;
	const struct erase_options options = {.mode = CHANGE_MAKE,
	    .progress = stop_at_once,
	    .progress_arg = &calls};
	struct erase_counts counts;

	for (i = 0; i < 120; i++)
		fixture_store(fixture->store, jane);
	assert_int_equal(
	    store_erase(fixture->store, &erasure, &options, &counts), STORE_OK);
	assert_int_equal(counts.events, 50);
	assert_true(counts.is_clean);
	assert_int_equal(calls, 2);
	assert_int_equal(count(fixture, "events"), 70);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(an_event_is_found_by_any_of_its_elements),
	    CASE(all_conditions_have_to_hold),
	    CASE(nothing_or_an_empty_word_is_no_condition),
	    CASE(a_dry_run_counts_the_same_and_changes_nothing),
	    CASE(what_is_pending_goes_and_lets_the_next_of_its_lane_pass),
	    CASE(what_is_new_may_go_and_the_counts_stay_right),
	    CASE(refused_bodies_are_searched_whatever_they_are),
	    CASE(answers_to_other_events_that_speak_of_the_same_are_emptied),
	    CASE(it_can_be_stopped_between_the_steps),
	};

	return cmocka_run_group_tests_name("erasure", tests, NULL, NULL);
}
