/*
 * Routing: which destinations there are, which events are new, and the arrow
 * new -> routed. Knows no filter: the relay decides where an event goes. An
 * event is new while its seq is beyond progress.routed_seq, so no event's row
 * is written here.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

static enum store_status
forget_configured(struct store *store)
{
	return sql_exec(store, "UPDATE destinations SET is_configured = 0 "
			       "WHERE is_configured <> 0");
}

static enum store_status
configure(struct store *store, struct destination_setting *setting)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "INSERT INTO destinations (id, name, is_configured, is_ordered) "
	    "SELECT 1 + max(last_destination, (SELECT coalesce(max(id), 0) "
	    "FROM destinations)), ?1, 1, ?2 FROM progress WHERE true "
	    "ON CONFLICT (name) "
	    "DO UPDATE SET is_configured = 1, is_ordered = ?2");

	sql_bind_text(statement, 1, setting->name);
	sqlite3_bind_int(statement, 2, setting->is_ordered ? 1 : 0);
	status = sql_run(store, statement);
	if (status != STORE_OK)
		return status;
	statement = sql_prepare(store,
	    "SELECT id, down_since_ms FROM destinations WHERE name = ?1");
	sql_bind_text(statement, 1, setting->name);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return STORE_FAILED;
	setting->id = sqlite3_column_int64(statement, 0);
	setting->down_since_ms = sqlite3_column_int64(statement, 1);
	sqlite3_reset(statement);
	return STORE_OK;
}

enum store_status
store_set_destinations(
    struct store *store, struct destination_setting *settings, size_t count)
{
	enum store_status status = store_begin(store, store_deadline(store));
	size_t i;

	if (status != STORE_OK)
		return status;
	status = forget_configured(store);
	for (i = 0; i < count && status == STORE_OK; i++)
		status = configure(store, &settings[i]);
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}

enum store_status
store_read_new(
    struct store *store, size_t limit, struct new_event **events, size_t *count)
{
	enum store_status status;
	size_t cap = 0;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT seq, community, event_type FROM events "
			       "WHERE seq > (SELECT routed_seq FROM progress) "
			       "ORDER BY seq LIMIT ?1");

	*events = NULL;
	*count = 0;
	sqlite3_bind_int64(statement, 1, (int64_t)limit);
	while ((status = sql_next(store, statement)) == STORE_OK) {
		struct new_event *event;

		if (*count == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			*events = xreallocarray(*events, cap, sizeof **events);
		}
		event = &(*events)[(*count)++];
		event->seq = sqlite3_column_int64(statement, 0);
		event->community = sql_text_dup(statement, 1);
		event->type = sql_text_dup(statement, 2);
	}
	if (status == STORE_GONE)
		return STORE_OK;
	store_free_new(*events, *count);
	*events = NULL;
	*count = 0;
	return status;
}

void
store_free_new(struct new_event *events, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(events[i].community);
		free(events[i].type);
	}
	free(events);
}

enum store_status
store_read_routed(struct store *store, int64_t *seq)
{
	return sql_read_int64(store, "SELECT routed_seq FROM progress", seq);
}

/* Makes one delivery, due since its event was captured (so that the oldest go
 * first), or since now where the clock was set back meanwhile. An event that
 * was erased since the relay read it gets none; nor does a delivery that is
 * there already change. */
static enum store_status
make_delivery(struct store *store, const struct route *route, int64_t now_ms)
{
	enum store_status status =
	    lane_make(store, route->seq, route->destination, INT64_MIN, now_ms);

	return status == STORE_GONE ? STORE_OK : status;
}

static enum store_status
count_unwanted(struct store *store, int64_t count)
{
	sqlite3_stmt *statement;

	if (count == 0)
		return STORE_OK;
	statement = sql_prepare(store,
	    "UPDATE progress SET unwanted_events = unwanted_events + ?1");
	sqlite3_bind_int64(statement, 1, count);
	return sql_run(store, statement);
}

/* Those among the events that matched nothing are settled with that. */
static enum store_status
settle_unmatched(
    struct store *store, int64_t after_seq, int64_t through_seq, int64_t now_ms)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "INSERT INTO settled (seq, has_dead, at_ms, is_unwanted) "
	    "SELECT seq, 0, min(" SQL_CAPTURED_AT(
		"?3", "?4") ", ?5), 1 "
			    "FROM events "
			    "WHERE seq > ?1 AND seq <= ?2 AND NOT EXISTS "
			    "(SELECT 1 FROM deliveries WHERE deliveries.seq = "
			    "events.seq)");

	sqlite3_bind_int64(statement, 1, after_seq);
	sqlite3_bind_int64(statement, 2, through_seq);
	sqlite3_bind_int64(statement, 3, now_ms - clock_wall_ms());
	sqlite3_bind_int64(statement, 4, store->stepped_at_ms);
	sqlite3_bind_int64(statement, 5, now_ms);
	status = sql_run(store, statement);
	if (status != STORE_OK)
		return status;
	return count_unwanted(store, sqlite3_changes(store->db));
}

/* Those that were erased while new are new no longer. */
static enum store_status
call_routed(struct store *store, int64_t through_seq)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE progress SET routed_seq = ?1, erased_new = erased_new - "
	    "iif(erased_new = 0, 0, ?1 - routed_seq - (SELECT count(*) "
	    "FROM events WHERE events.seq > routed_seq AND events.seq <= ?1))");

	sqlite3_bind_int64(statement, 1, through_seq);
	return sql_run(store, statement);
}

static enum store_status
route_under_lock(struct store *store, int64_t after_seq, int64_t through_seq,
    const struct route *routes, size_t count)
{
	int64_t routed_seq = 0, last_seq = 0, now_ms = store_now_ms(store);
	enum store_status status = store_read_routed(store, &routed_seq);
	size_t i;

	if (status == STORE_OK)
		status = sql_read_int64(store,
		    "SELECT coalesce(max(seq), 0) FROM sqlite_sequence "
		    "WHERE name = 'events'",
		    &last_seq);
	if (status != STORE_OK)
		return status;
	/* Beyond it are events to come: they would be lost. */
	assert(through_seq <= last_seq);
	if (routed_seq != after_seq)
		return store_say(store, STORE_GONE,
		    "these events were routed by somebody else meanwhile");
	for (i = 0; i < count && status == STORE_OK; i++) {
		assert(routes[i].seq > after_seq);
		assert(i == 0 || routes[i].seq >= routes[i - 1].seq);
		assert(routes[i].seq <= through_seq);
		status = make_delivery(store, &routes[i], now_ms);
	}
	if (status == STORE_OK)
		status =
		    settle_unmatched(store, after_seq, through_seq, now_ms);
	if (status == STORE_OK)
		status = call_routed(store, through_seq);
	return status;
}

enum store_status
store_route(struct store *store, int64_t after_seq, int64_t through_seq,
    const struct route *routes, size_t count)
{
	enum store_status status;

	assert(through_seq > after_seq);
	status = store_begin(store, store_deadline(store));
	if (status != STORE_OK)
		return status;
	status = route_under_lock(store, after_seq, through_seq, routes, count);
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}
