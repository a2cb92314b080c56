/*
 * Lists: what a filter matches, and in which order.
 */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "delivery_fixture.h"
#include "spool/store_internal.h"

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
	delivery_fill(fixture, ids);
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

	delivery_fill(fixture, ids);
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

/* By seq, by a span of time, by state. */
static void
a_list_shows_events_whose_body_has_what_is_searched(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	delivery_fill(fixture, ids);
	delivery_exec(fixture,
	    "UPDATE events SET body = '{\"AuthorEmail\":\"jane@example.org\","
	    "\"Text\":\"J\\u00e5n\"}' WHERE seq <> 2");
	EXPECT_LIST("3 1,bi=dead,crm=delivered", .author = "Jane@example.org");
	EXPECT_LIST("3 1,bi=dead,crm=delivered", .match = "j\xc3\xa5N");
	EXPECT_LIST("3", .match = "ane", .limit = 1);
	EXPECT_LIST("", .author = "jane@example.or");
	EXPECT_LIST("3 1,bi=dead,crm=delivered", .match = "ane@example.or");
	EXPECT_LIST("", .author = "jane@example.org", .match = "jonas");
	EXPECT_LIST(one, .match = "jane", .until = {true, BEGIN_MS + 1});
	EXPECT_LIST(one, .match = "jane", .state = LIST_STATE_DEAD);
	EXPECT_LIST(
	    "", .author = "jane@example.org", .state = LIST_STATE_PENDING);
	EXPECT_LIST(two, .match = "{\"A\"", .state = LIST_STATE_PENDING);
	EXPECT_LIST("3", .match = "jane", .type = "note_*");
}

static void
a_list_shows_the_state_asked_for(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	delivery_fill(fixture, ids);
	EXPECT_LIST("3", .state = LIST_STATE_NEW);
	EXPECT_LIST(two, .state = LIST_STATE_ROUTED, .limit = 1);
	EXPECT_LIST(one, .state = LIST_STATE_ROUTED, .ticket = "11");
	EXPECT_LIST(one, .state = LIST_STATE_DELIVERED);
	EXPECT_LIST(one, .state = LIST_STATE_DELIVERED, .destination = "crm");
	EXPECT_LIST("", .state = LIST_STATE_DELIVERED, .destination = "bi");
	EXPECT_LIST(one, .state = LIST_STATE_DEAD);
	EXPECT_LIST(one, .state = LIST_STATE_DEAD, .destination = "bi");
	EXPECT_LIST("", .state = LIST_STATE_DEAD, .destination = "crm");
	EXPECT_LIST(two, .state = LIST_STATE_PENDING);
	EXPECT_LIST("", .state = LIST_STATE_PENDING, .ticket = "11");
	EXPECT_LIST("", .state = LIST_STATE_DROPPED);
	EXPECT_LIST("", .state = LIST_STATE_ORPHANED);
	delivery_configure(fixture, ids, "crm", NULL);
	EXPECT_LIST("2,bi=orphaned,crm=pending", .state = LIST_STATE_ORPHANED);
	EXPECT_LIST("2,bi=orphaned,crm=pending", .state = LIST_STATE_PENDING);
	EXPECT_LIST("", .state = LIST_STATE_PENDING, .destination = "bi");
}

static void
a_list_keeps_to_a_span_of_time_even_if_the_clock_stepped(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	delivery_fill(fixture, ids);
	delivery_now_ms = BEGIN_MS - 1; /* two hours back */
	delivery_put(fixture, NULL, "b", NULL);
	EXPECT_LIST("", .until = {true, 0});
	EXPECT_LIST("3", .since = {true, BEGIN_MS + 2 * HOUR_MS});
	EXPECT_LIST("", .since = {true, BEGIN_MS + 2 * HOUR_MS + 1});
	EXPECT_LIST(two, .since = {true, BEGIN_MS + 1},
	    .until = {true, BEGIN_MS + HOUR_MS + 1});
	EXPECT_LIST("", .since = {true, BEGIN_MS + 1},
	    .until = {true, BEGIN_MS + HOUR_MS});
	EXPECT_LIST("1,bi=dead,crm=delivered 4", .until = {true, BEGIN_MS + 1});
	EXPECT_LIST(one, .until = {true, BEGIN_MS + 1}, .limit = 1);
	EXPECT_LIST(
	    "3", .state = LIST_STATE_NEW, .since = {true, BEGIN_MS + 1});
	EXPECT_LIST(
	    "", .state = LIST_STATE_DEAD, .since = {true, BEGIN_MS + 1});
	EXPECT_LIST(
	    one, .state = LIST_STATE_DEAD, .until = {true, BEGIN_MS + 1});
}

static void
a_state_is_read_from_its_name(void **state)
{
	enum list_state asked, read;

	(void)state;
	for (asked = LIST_STATE_NEW; asked < LIST_STATE_COUNT; asked++) {
		assert_true(list_state_read(list_state_name(asked), &read));
		assert_int_equal(read, asked);
	}
	assert_false(list_state_read("sent", &read));
	assert_false(list_state_read("", &read));
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

struct looked {
	int64_t at;
	int times;
	int stop_at;
};

static bool
see_progress(void *arg, int64_t looked_at)
{
	struct looked *looked = arg;

	assert_true(looked_at >= looked->at);
	looked->at = looked_at;
	return ++looked->times != looked->stop_at;
}

static void
a_search_says_how_far_it_is_and_can_be_stopped(void **state)
{
	struct fixture *fixture = *state;
	struct looked looked = {.at = 0};
	struct list_filter filter = {.match = "nowhere",
	    .progress = see_progress,
	    .progress_arg = &looked};
	int rows = 0;

	delivery_exec(fixture,
	    "INSERT INTO events (id, received_at_ms, event_type, body) "
	    "WITH RECURSIVE n(i) AS (SELECT 10000 UNION ALL SELECT i + 1 "
	    "FROM n WHERE i < 10999) SELECT '018bcfe5-6803-7abc-8def-0000000' "
	    "|| i, 1, 'x', zeroblob(20000) FROM n");
	assert_int_equal(
	    store_list(fixture->store, &filter, count_row, &rows), STORE_OK);
	assert_int_equal(rows, 0);
	assert_int_equal(looked.at, 1000);
	/* Not more than 6 MB in one read transaction. */
	assert_in_range(looked.times, 4, 20);
	looked = (struct looked){.stop_at = 2};
	assert_int_equal(
	    store_list(fixture->store, &filter, count_row, &rows), STORE_OK);
	assert_int_equal(looked.times, 2);
	assert_in_range(looked.at, 1, 999);
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

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_list_is_newest_first_with_all_deliveries),
	    CASE(a_list_shows_what_the_filter_matches),
	    CASE(a_list_shows_events_whose_body_has_what_is_searched),
	    CASE(a_search_says_how_far_it_is_and_can_be_stopped),
	    CASE(a_list_shows_the_state_asked_for),
	    CASE(a_list_keeps_to_a_span_of_time_even_if_the_clock_stepped),
	    CASE(a_state_is_read_from_its_name),
	    CASE(a_long_list_is_whole),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
