/*
 * Replaying and dropping what a filter selects.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "delivery_fixture.h"
#include "spool/store_internal.h"

typedef enum store_status (*change_function)(struct store *store,
    const struct list_filter *filter, const struct change_options *options,
    struct change_counts *counts);

static const struct list_filter no_filter = {.limit = 0};
static const struct change_options make = {.mode = CHANGE_MAKE};

/* All deliveries: "1crm=delivered2 1bi=dead1", with their attempts. */
static void
expect_all(struct fixture *fixture, const char *expected)
{
	char *all = fixture_query_text(fixture->path,
	    "SELECT coalesce(group_concat(seq || destination || '=' || d.state "
	    "|| attempts, ' '), '') FROM (SELECT d.*, event.seq FROM "
	    "delivery AS d JOIN event ON event.id = event_id "
	    "ORDER BY event.seq, destination DESC) AS d");

	assert_string_equal(all, expected);
	free(all);
	delivery_check(fixture);
}

/* Replays or drops, and compares the counts that are not 0. */
static void
expect_counts(struct fixture *fixture, change_function function,
    const struct list_filter *filter, const struct change_options *options,
    const char *expected)
{
	static const char *const names[] = {"replayed", "made", "hurried",
	    "dropped", "due", "behind", "passed", "removed"};
	struct change_counts counts = {.replayed = -1};
	const int64_t *all = (const int64_t *)&counts;
	struct buf text;
	size_t i;

	if (function(fixture->store, filter, options, &counts) != STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	buf_init(&text, 1000);
	for (i = 0; i < sizeof counts / sizeof *all; i++)
		if (all[i] != 0)
			buf_add_format(&text, "%s%s %lld",
			    text.len > 0 ? ", " : "", names[i],
			    (long long)all[i]);
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
}

/* The same after a dry run, which tells the same and changes nothing. */
static void
expect_change(struct fixture *fixture, change_function function,
    const struct list_filter *filter, const struct change_options *options,
    const char *expected)
{
	static const char deliveries[] =
	    "SELECT group_concat(seq || state || generation) FROM deliveries";
	struct change_options dry = *options;
	char *before = fixture_query_text(fixture->path, deliveries);
	char *after;

	dry.mode = CHANGE_COUNT;
	expect_counts(fixture, function, filter, &dry, expected);
	after = fixture_query_text(fixture->path, deliveries);
	assert_string_equal(after, before);
	expect_counts(fixture, function, filter, options, expected);
	delivery_check(fixture);
	free(before);
	free(after);
}

/* Five events for crm and bi: of crm 1 is delivered, 2 dead, 3 dropped, 4 and
 * 5 pending, 4 in a back-off; of bi all are pending. */
static void
fill(struct fixture *fixture, int64_t *ids)
{
	struct change_options options = {.mode = CHANGE_MAKE};
	const struct list_filter crm = {.destination = "crm"};
	struct change_counts counts;
	int i;

	delivery_configure(fixture, ids, "crm", "bi", NULL);
	for (i = 1; i <= 5; i++) {
		delivery_put(fixture, i % 2 == 0 ? "Even" : "Odd",
		    i > 3 ? "note_new" : "ticket_new", i == 5 ? "9" : NULL);
		delivery_now_ms += 60000;
	}
	delivery_route(fixture, ids, 2);
	delivery_settle(fixture, ids[0], OUTCOME_DELIVERED);
	delivery_settle(fixture, ids[0], OUTCOME_DEAD);
	options.event_id = delivery_id(fixture, 3);
	assert_int_equal(
	    store_drop(fixture->store, &crm, &options, &counts), STORE_OK);
	free((char *)(uintptr_t)options.event_id);
	delivery_settle(fixture, ids[0], OUTCOME_RETRY);
	expect_all(fixture,
	    "1crm=delivered1 1bi=pending0 2crm=dead1 2bi=pending0 "
	    "3crm=dropped0 3bi=pending0 4crm=pending1 4bi=pending0 "
	    "5crm=pending0 5bi=pending0");
}

static void
a_replay_is_of_what_is_dead_unless_told(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter delivered = {.state = LIST_STATE_DELIVERED};
	const struct list_filter dropped = {.state = LIST_STATE_DROPPED};
	const struct list_filter pending = {
	    .state = LIST_STATE_PENDING, .destination = "crm"};
	int64_t ids[2];

	fill(fixture, ids);
	expect_change(fixture, store_replay, &no_filter, &make, "replayed 1");
	expect_change(fixture, store_replay, &no_filter, &make, "");
	expect_change(fixture, store_replay, &delivered, &make, "replayed 1");
	expect_change(fixture, store_replay, &dropped, &make, "replayed 1");
	expect_change(
	    fixture, store_replay, &pending, &make, "hurried 1, due 4");
	expect_all(fixture,
	    "1crm=pending1 1bi=pending0 2crm=pending1 2bi=pending0 "
	    "3crm=pending0 3bi=pending0 4crm=pending1 4bi=pending0 "
	    "5crm=pending0 5bi=pending0");
}

static void
a_replayed_delivery_goes_on_counting_and_starts_its_clock_anew(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	struct due due;

	delivery_configure(fixture, ids, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, ids, 1);
	delivery_settle(fixture, ids[0], OUTCOME_RETRY);
	delivery_now_ms += 5000;
	delivery_settle(fixture, ids[0], OUTCOME_DEAD);
	delivery_now_ms += DAY_MS;
	expect_change(fixture, store_replay, &no_filter, &make, "replayed 1");
	due = delivery_take(fixture, ids[0]);
	assert_int_equal(due.attempts, 2);
	assert_int_equal(due.attempts_counted, 0);
	assert_int_equal(due.first_attempt_ms, 0);
	assert_int_equal(due.held_ms, 0);
	assert_int_equal(due.next_at_ms, delivery_now_ms);
	store_free_due(&due);
	delivery_settle(fixture, ids[0], OUTCOME_RETRY);
	delivery_now_ms += 5000;
	due = delivery_take(fixture, ids[0]);
	assert_int_equal(due.attempts, 3);
	assert_int_equal(due.attempts_counted, 1);
	assert_int_equal(due.first_attempt_ms, delivery_now_ms - 5000);
	store_free_due(&due);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT group_concat(number, '') = '123' FROM attempts"),
	    1);
}

static void
the_filter_chooses_the_events(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];
	const struct list_filter type = {.state = LIST_STATE_PENDING,
				     .type = "note_*",
				     .destination = "bi"},
				 community = {.community = "Even"},
				 ticket = {.ticket = "9"},
				 old = {.until = {true, BEGIN_MS + 60000}},
				 recent = {.since = {true, BEGIN_MS + 180000}},
				 two = {.limit = 2};

	fill(fixture, ids);
	expect_change(fixture, store_drop, &type, &make, "dropped 2");
	expect_change(fixture, store_drop, &community, &make, "dropped 2");
	expect_change(fixture, store_drop, &ticket, &make, "dropped 1");
	expect_change(fixture, store_drop, &old, &make, "dropped 1");
	expect_change(fixture, store_drop, &recent, &make, "");
	expect_all(fixture,
	    "1crm=delivered1 1bi=dropped0 2crm=dead1 2bi=dropped0 "
	    "3crm=dropped0 3bi=pending0 4crm=dropped1 4bi=dropped0 "
	    "5crm=dropped0 5bi=dropped0");
	expect_change(fixture, store_drop, &two, &make, "dropped 1");
	delivery_put(fixture, NULL, "a", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, ids, 2);
	expect_change(fixture, store_drop, &two, &make, "dropped 2");
	expect_change(fixture, store_drop, &no_filter, &make, "dropped 2");
}

static void
an_event_by_its_id_has_all_its_deliveries_changed(void **state)
{
	struct fixture *fixture = *state;
	struct change_options options = make;
	char *id;
	int64_t ids[2];

	fill(fixture, ids);
	id = delivery_id(fixture, 2);
	options.event_id = id;
	expect_change(
	    fixture, store_replay, &no_filter, &options, "replayed 1, due 1");
	expect_change(fixture, store_drop, &no_filter, &options, "dropped 2");
	expect_change(fixture, store_drop, &no_filter, &options, "");
	expect_change(
	    fixture, store_replay, &no_filter, &options, "replayed 2");
	free(id);
	id = delivery_id(fixture, 4);
	options.event_id = id;
	expect_change(
	    fixture, store_replay, &no_filter, &options, "hurried 1, due 1");
	free(id);
	delivery_put(fixture, NULL, "not routed", NULL);
	id = delivery_id(fixture, 6);
	options.event_id = id;
	expect_change(fixture, store_replay, &no_filter, &options, "");
	free(id);
	options.event_id = "none";
	assert_int_equal(store_replay(fixture->store, &no_filter, &options,
			     &(struct change_counts){0}),
	    STORE_GONE);
}

static bool
wants_notes(void *arg, const char *event_type, const char *community)
{
	assert_ptr_equal(arg, wants_notes);
	assert_non_null(community);
	return strcmp(event_type, "note_new") == 0;
}

static void
a_new_destination_gets_the_past_by_a_replay(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[3];
	struct change_options options = {.mode = CHANGE_MAKE,
	    .to = "new",
	    .wants = wants_notes,
	    .wants_arg = (void *)(uintptr_t)wants_notes};

	fill(fixture, ids);
	delivery_configure(fixture, ids, "crm", "bi", "new", NULL);
	expect_change(fixture, store_replay, &no_filter, &options, "made 2");
	expect_change(fixture, store_replay, &no_filter, &options, "due 2");
	assert_int_equal(
	    delivery_settle(fixture, ids[2], OUTCOME_DELIVERED), 4);
	delivery_settle(fixture, ids[2], OUTCOME_DEAD);
	options.wants = NULL;
	expect_change(fixture, store_replay, &no_filter, &options,
	    "replayed 1, made 3, passed 1");
	expect_all(fixture, "1new=pending0 1crm=delivered1 1bi=pending0 "
			    "2new=pending0 2crm=dead1 2bi=pending0 "
			    "3new=pending0 3crm=dropped0 3bi=pending0 "
			    "4new=delivered1 4crm=pending1 4bi=pending0 "
			    "5new=pending1 5crm=pending0 5bi=pending0");
}

static void
what_died_elsewhere_is_replayed_to_another_destination(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter dead = {.state = LIST_STATE_DEAD},
				 dead_at_bi = {.state = LIST_STATE_DEAD,
				     .destination = "bi"},
				 of_crm = {.state = LIST_STATE_DELIVERED,
				     .destination = "crm"};
	struct change_options to_crm = {.mode = CHANGE_MAKE, .to = "crm"},
			      to_new = {.mode = CHANGE_MAKE, .to = "new"};
	int64_t ids[3];

	fill(fixture, ids);
	assert_int_equal(store_replay(fixture->store, &dead, &to_new,
			     &(struct change_counts){0}),
	    STORE_REFUSED);
	assert_non_null(strstr(store_why(fixture->store), "\"new\""));
	delivery_configure(fixture, ids, "crm", "bi", "new", NULL);
	expect_change(fixture, store_replay, &dead_at_bi, &to_new, "");
	expect_change(fixture, store_replay, &dead, &to_new, "made 1");
	expect_change(fixture, store_replay, &dead, &to_crm, "replayed 1");
	expect_change(fixture, store_replay, &no_filter, &to_crm,
	    "hurried 1, due 2, passed 2");
	expect_change(fixture, store_replay, &of_crm, &to_crm, "replayed 1");
}

static void
orphaned_deliveries_can_be_dropped_and_live_again(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter orphaned = {.state = LIST_STATE_ORPHANED},
				 pending = {.state = LIST_STATE_PENDING},
				 one = {.limit = 1};
	int64_t ids[2], other;

	fill(fixture, ids);
	delivery_configure(fixture, &other, "crm", NULL);
	assert_int_equal(store_replay(fixture->store, &orphaned, &make,
			     &(struct change_counts){0}),
	    STORE_REFUSED);
	expect_change(fixture, store_drop, &pending, &make, "dropped 2");
	expect_change(fixture, store_drop, &one, &make, "dropped 1");
	delivery_configure(fixture, &other, "bi", NULL);
	expect_change(fixture, store_drop, &orphaned, &make, "");
	expect_change(fixture, store_replay, &no_filter, &make, "removed 1");
	delivery_configure(fixture, ids, "crm", "bi", NULL);
	expect_all(fixture,
	    "1crm=delivered1 1bi=dropped0 2crm=dead1 2bi=pending0 "
	    "3crm=dropped0 3bi=pending0 4crm=dropped1 4bi=pending0 "
	    "5crm=dropped0 5bi=pending0");
}

static void
what_cannot_be_chosen_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const enum list_state states[] = {LIST_STATE_NEW,
	    LIST_STATE_ROUTED, LIST_STATE_DELIVERED, LIST_STATE_DROPPED};
	struct change_counts counts;
	size_t i;

	for (i = 0; i < sizeof states / sizeof *states; i++) {
		const struct list_filter filter = {.state = states[i]};

		assert_int_equal(
		    store_drop(fixture->store, &filter, &make, &counts),
		    STORE_REFUSED);
		assert_non_null(strstr(
		    store_why(fixture->store), list_state_name(states[i])));
	}
}

static void
an_attempt_under_way_settles_nothing_after_a_drop(void **state)
{
	struct fixture *fixture = *state;
	struct settlement late;
	struct due due;
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 1);
	due = delivery_take(fixture, id);
	late = delivery_settlement(&due, OUTCOME_DELIVERED);
	expect_change(fixture, store_drop, &no_filter, &make, "dropped 1");
	assert_int_equal(store_settle(fixture->store, &late, 1), STORE_OK);
	assert_false(late.is_applied);
	expect_all(fixture, "1crm=dropped0");
	store_free_due(&due);
}

/* ---- steps ---- */

#define MANY 1000

struct watcher {
	struct store *store;
	struct store *other; /* another process would have one */
	int64_t last;
	int steps;
	int stop_at;
};

/* Between two steps there is neither a lock nor a transaction. */
static bool
watch(void *arg, const struct change_counts *counts)
{
	struct watcher *watcher = arg;

	assert_int_equal(sqlite3_txn_state(watcher->store->db, NULL), 0);
	assert_true(counts->dropped >= watcher->last);
	watcher->last = counts->dropped;
	fixture_store(watcher->other, "{}");
	return ++watcher->steps != watcher->stop_at;
}

static void
much_is_changed_in_steps_that_let_others_write(void **state)
{
	struct fixture *fixture = *state;
	struct watcher watcher = {.store = fixture->store, .stop_at = 2};
	struct change_options options = {
	    .mode = CHANGE_MAKE, .progress = watch, .progress_arg = &watcher};
	struct change_counts counts;
	int64_t id;
	int i;

	watcher.other = fixture_open(fixture->path, STORE_CAPTURE);
	delivery_configure_ordered(fixture, &id, "crm", NULL);
	for (i = 0; i < MANY; i++)
		delivery_put(fixture, NULL, "a", "1");
	delivery_route(fixture, &id, 1);
	assert_int_equal(
	    store_drop(fixture->store, &no_filter, &options, &counts),
	    STORE_OK);
	assert_in_range(counts.dropped, 2, MANY - 1); /* told to stop */
	assert_int_equal(counts.dropped, watcher.last);
	delivery_check(fixture);
	watcher.last = 0;
	assert_int_equal(
	    store_drop(fixture->store, &no_filter, &options, &counts),
	    STORE_OK);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT dropped FROM destinations"),
	    MANY);
	assert_true(watcher.steps > 3);
	store_close(watcher.other);
	delivery_check(fixture);
}

/* More than is looked at in one go: all are dead at bi, and three, with gaps
 * as long as a look, are delivered to crm; the last of them has a ticket. */
static void
fill_with_many(struct fixture *fixture, int64_t *ids)
{
	delivery_configure(fixture, ids, "crm", "bi", NULL);
	delivery_exec(fixture,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
	    "SELECT i + 1 FROM n WHERE i < 25000) "
	    "INSERT INTO events (id, received_at_ms, event_type, ticket_id, "
	    "body) SELECT printf('%036d', i), 1700000000000, 'a', "
	    "iif(i = 24999, '7', NULL), x'' FROM n");
	delivery_route(fixture, ids, 0);
	delivery_exec(fixture,
	    "INSERT INTO deliveries (seq, destination, state) "
	    "SELECT seq, d.id, d.id FROM events, destinations AS d "
	    "WHERE d.id = 2 OR seq % 10001 = 0 OR ticket_id = '7'");
}

static void
however_much_is_kept_the_filter_finds_what_it_matches(void **state)
{
	struct fixture *fixture = *state;
	const struct list_filter ticket = {.ticket = "7"},
				 dead = {.state = LIST_STATE_DEAD},
				 delivered = {.state = LIST_STATE_DELIVERED},
				 one_delivered = {.state = LIST_STATE_DELIVERED,
				     .ticket = "7"};
	const struct change_options to_bi = {.mode = CHANGE_COUNT, .to = "bi"},
				    count = {.mode = CHANGE_COUNT};
	int64_t ids[2];

	fill_with_many(fixture, ids);
	assert_int_equal(ids[0], DELIVERY_DELIVERED);
	assert_int_equal(ids[1], DELIVERY_DEAD);
	expect_counts(fixture, store_replay, &ticket, &count, "replayed 1");
	expect_counts(fixture, store_replay, &dead, &count, "replayed 25000");
	expect_counts(fixture, store_replay, &delivered, &count, "replayed 3");
	expect_counts(
	    fixture, store_replay, &one_delivered, &count, "replayed 1");
	expect_counts(fixture, store_replay, &ticket, &to_bi, "replayed 1");
	expect_counts(fixture, store_replay, &delivered, &to_bi, "replayed 3");
	expect_counts(
	    fixture, store_replay, &no_filter, &to_bi, "replayed 25000");
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_replay_is_of_what_is_dead_unless_told),
	    CASE(
		a_replayed_delivery_goes_on_counting_and_starts_its_clock_anew),
	    CASE(the_filter_chooses_the_events),
	    CASE(an_event_by_its_id_has_all_its_deliveries_changed),
	    CASE(a_new_destination_gets_the_past_by_a_replay),
	    CASE(what_died_elsewhere_is_replayed_to_another_destination),
	    CASE(orphaned_deliveries_can_be_dropped_and_live_again),
	    CASE(what_cannot_be_chosen_is_refused),
	    CASE(an_attempt_under_way_settles_nothing_after_a_drop),
	    CASE(much_is_changed_in_steps_that_let_others_write),
	    CASE(however_much_is_kept_the_filter_finds_what_it_matches),
	};

	return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
