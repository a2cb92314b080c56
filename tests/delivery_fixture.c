/*
 * Events on their way to destinations: see delivery_fixture.h.
 */
#include "config.h"

#include "unit.h"

#include "delivery_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "event/event.h"

int64_t delivery_now_ms;
int64_t delivery_step_ms;

static const struct clock *real_clock;
static struct clock still_clock;

static int64_t
still_wall_ms(void)
{
	return delivery_now_ms + delivery_step_ms;
}

static int64_t
still_boot_ms(void)
{
	return delivery_now_ms - BEGIN_MS;
}

int
delivery_setup(void **state)
{
	real_clock = clock_source;
	still_clock.wall_ms = still_wall_ms;
	still_clock.mono_ms = real_clock->mono_ms;
	still_clock.boot_ms = still_boot_ms;
	clock_source = &still_clock;
	delivery_now_ms = BEGIN_MS;
	delivery_step_ms = 0;
	return fixture_setup(state);
}

int
delivery_teardown(void **state)
{
	clock_source = real_clock;
	return fixture_teardown(state);
}

static void
check(struct fixture *fixture, enum store_status status)
{
	if (status != STORE_OK)
		fail_msg("status %d: %s", status, store_why(fixture->store));
}

static void
configure(struct fixture *fixture, bool is_ordered, int64_t *ids,
    const char *first, va_list args)
{
	struct destination_config configured[8] = {{.name = NULL}};
	struct destination kept[8];
	size_t count = 0, i;

	for (; first != NULL; first = va_arg(args, const char *))
		configured[count++] = (struct destination_config){
		    .name = (char *)(uintptr_t)first,
		    .order = is_ordered ? DESTINATION_ORDER_TICKET
					: DESTINATION_ORDER_NONE};
	check(fixture,
	    store_set_destinations(fixture->store, configured, count, kept));
	for (i = 0; i < count; i++)
		ids[i] = kept[i].id;
}

void
delivery_configure(
    struct fixture *fixture, int64_t *ids, const char *first, ...)
{
	va_list args;

	va_start(args, first);
	configure(fixture, false, ids, first, args);
	va_end(args);
}

void
delivery_configure_ordered(
    struct fixture *fixture, int64_t *ids, const char *first, ...)
{
	va_list args;

	va_start(args, first);
	configure(fixture, true, ids, first, args);
	va_end(args);
}

static char *
copy(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static int64_t
put(struct fixture *fixture, struct event *event)
{
	struct capture capture = fixture_capture("{\"a\":1}");

	capture.event = event;
	store_capture(fixture->store, &capture, 1, clock_mono_ms() + 20000);
	if (capture.result != CAPTURE_STORED)
		fail_msg("%s", store_why(fixture->store));
	event_free(event);
	return capture.seq;
}

int64_t
delivery_put(struct fixture *fixture, const char *community, const char *type,
    const char *ticket)
{
	struct event event = {.community = copy(community),
	    .type = xstrdup(type),
	    .ticket = copy(ticket)};

	return put(fixture, &event);
}

int64_t
delivery_put_conversation(
    struct fixture *fixture, const char *community, const char *conversation)
{
	struct event event = {.community = copy(community),
	    .type = xstrdup("a"),
	    .conversation = copy(conversation)};

	return put(fixture, &event);
}

char *
delivery_id(struct fixture *fixture, int64_t seq)
{
	char *sql =
	    xasprintf("SELECT id FROM events WHERE seq = %lld", (long long)seq);
	char *id = fixture_query_text(fixture->path, sql);

	free(sql);
	return id;
}

void
delivery_route(
    struct fixture *fixture, const int64_t *destinations, size_t count)
{
	struct new_event *events;
	struct route *routes;
	size_t event_count, i;
	int64_t routed = 0;

	check(fixture, store_read_routed(fixture->store, &routed));
	check(fixture,
	    store_read_new(fixture->store, 1000000, &events, &event_count));
	if (event_count == 0)
		return;
	routes = xcalloc(event_count * count + 1, sizeof *routes);
	for (i = 0; i < event_count * count; i++) {
		routes[i].seq = events[i / count].seq;
		routes[i].destination = destinations[i % count];
	}
	check(fixture,
	    store_route(fixture->store, routed, events[event_count - 1].seq,
		routes, event_count * count));
	free(routes);
	store_free_new(events, event_count);
}

struct due
delivery_take(struct fixture *fixture, int64_t destination)
{
	struct due due;

	check(fixture, store_read_due(fixture->store, destination,
			   delivery_now_ms, DAY_MS, NULL, 0, &due));
	return due;
}

struct settlement
delivery_settlement(const struct due *due, enum outcome outcome)
{
	struct settlement settlement = {.seq = due->seq,
	    .destination = due->destination,
	    .generation = due->generation,
	    .outcome = outcome,
	    .next_at_ms = delivery_now_ms + 5000,
	    .failed_at_ms = delivery_now_ms,
	    .begun_at_ms = delivery_now_ms,
	    .started_at_ms = delivery_now_ms + delivery_step_ms,
	    .duration_ms = 5,
	    .status = outcome == OUTCOME_DELIVERED ? 204 : 503,
	    .error = outcome == OUTCOME_DELIVERED ? NULL : "not now",
	    .answer = "answer",
	    .answer_bytes = 6};

	return settlement;
}

int64_t
delivery_settle(
    struct fixture *fixture, int64_t destination, enum outcome outcome)
{
	struct due due = delivery_take(fixture, destination);
	struct settlement settlement = delivery_settlement(&due, outcome);
	int64_t seq = due.seq;

	check(fixture, store_settle(fixture->store, &settlement, 1));
	assert_true(settlement.is_applied);
	store_free_due(&due);
	return seq;
}

void
delivery_fill(struct fixture *fixture, int64_t *ids)
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

void
delivery_exec(struct fixture *fixture, const char *sql)
{
	char *name = fixture_join(fixture->path, "spool.db");
	sqlite3 *db = NULL;

	assert_int_equal(
	    sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
	free(name);
}

/* Of each lane the first that is pending has a time, and only what is pending
 * has one. */
static void
check_lanes(struct fixture *fixture)
{
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT count(*) FROM deliveries AS d WHERE state = 0 "
		"AND next_at_ms IS NULL AND NOT EXISTS "
		"(SELECT 1 FROM deliveries AS earlier "
		"WHERE earlier.destination = d.destination "
		"AND earlier.lane = d.lane AND earlier.state = 0 "
		"AND earlier.seq < d.seq)"),
	    0);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT count(*) FROM deliveries WHERE state <> 0 "
			     "AND next_at_ms IS NOT NULL"),
	    0);
}

void
delivery_check(struct fixture *fixture)
{
	check_lanes(fixture);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT count(*) FROM destinations AS d WHERE "
			     "(pending, behind, delivered, dead, dropped) "
			     "IS NOT "
			     "(SELECT count(*) FILTER (WHERE state = 0), "
			     "count(*) FILTER (WHERE state = 0 "
			     "AND next_at_ms IS NULL), "
			     "count(*) FILTER (WHERE state = 1), "
			     "count(*) FILTER (WHERE state = 2), "
			     "count(*) FILTER (WHERE state = 3) "
			     "FROM deliveries WHERE destination = d.id)"),
	    0);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT (SELECT count(*) FROM events) - (SELECT "
		"(SELECT seq FROM sqlite_sequence WHERE name = 'events') "
		"- erased_events FROM progress)"),
	    0);
	assert_int_equal(
	    fixture_query(fixture->path,
		"WITH counted AS (SELECT seq, coalesce(max(state = 2), 0) "
		"FROM events JOIN progress LEFT JOIN deliveries USING (seq) "
		"WHERE seq <= routed_seq GROUP BY seq "
		"HAVING coalesce(max(state = 0), 0) = 0), "
		"noted AS (SELECT seq, has_dead FROM settled) "
		"SELECT (SELECT count(*) FROM "
		"(SELECT * FROM counted EXCEPT SELECT * FROM noted)) + "
		"(SELECT count(*) FROM "
		"(SELECT * FROM noted EXCEPT SELECT * FROM counted))"),
	    0);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT unwanted_events - (SELECT count(*) FROM settled "
		"WHERE is_unwanted) + (SELECT count(*) FROM settled "
		"JOIN deliveries USING (seq) WHERE is_unwanted) FROM progress"),
	    0);
}
