/*
 * The summary: how much there is, what waits and since when. Each figure is a
 * counter that its transactions keep, or an index's first row; only the last
 * hour's events are counted one by one.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/xalloc.h"
#include "conf/conf.h"

#define HOUR_MS   INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

#define ANSWER_SHOWN_BYTES 200

static enum store_status
read_events(struct store *store, struct store_summary *summary)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT last - erased_events, last - routed_seq - erased_new, "
	    "(SELECT received_at_ms FROM events "
	    "WHERE seq = (SELECT max(seq) FROM events)), "
	    "(SELECT received_at_ms FROM events WHERE seq > routed_seq "
	    "ORDER BY seq LIMIT 1), (SELECT count(*) FROM refusals), "
	    "unwanted_events "
	    "FROM progress, (SELECT coalesce(max(seq), 0) AS last "
	    "FROM sqlite_sequence WHERE name = 'events')");

	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	summary->events = sqlite3_column_int64(statement, 0);
	summary->events_new = sqlite3_column_int64(statement, 1);
	summary->newest_event_ms = sqlite3_column_int64(statement, 2);
	summary->oldest_undelivered_ms = sqlite3_column_int64(statement, 3);
	summary->refused = sqlite3_column_int64(statement, 4);
	summary->events_unwanted = sqlite3_column_int64(statement, 5);
	sqlite3_reset(statement);
	return STORE_OK;
}

/* By the time in their ids. Those from a clock that ran ahead do not count. */
static enum store_status
count_last_hour(
    struct store *store, int64_t now_ms, struct store_summary *summary)
{
	enum store_status status;
	char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];
	sqlite3_stmt *statement = sql_prepare(
	    store, "SELECT count(*) FROM events WHERE id >= ?1 AND id < ?2");

	query_write_id_bound(now_ms - HOUR_MS, from);
	query_write_id_bound(now_ms + MINUTE_MS, to);
	sql_bind_text(statement, 1, from);
	sql_bind_text(statement, 2, to);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	summary->events_last_hour = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return STORE_OK;
}

/* What a destination answered, as far as it may be a sentence for people. */
static char *
first_line_dup(sqlite3_stmt *statement, int column)
{
	size_t len = 0;
	char *text = sql_blob_dup(statement, column, &len);

	if (text == NULL)
		return NULL;
	text[strcspn(text, "\r\n")] = '\0';
	if (strlen(text) > ANSWER_SHOWN_BYTES)
		text[ANSWER_SHOWN_BYTES] = '\0';
	if (*text != '\0')
		return text;
	free(text);
	return NULL;
}

static int64_t
shown_ms(const struct store *store, sqlite3_stmt *statement, int column)
{
	return store_shown_ms(store, sqlite3_column_int64(statement, column));
}

static void
take_counts(const struct store *store, sqlite3_stmt *statement,
    struct destination *counts)
{
	memset(counts, 0, sizeof *counts);
	counts->name = sql_text_dup(statement, 0);
	counts->is_configured = sqlite3_column_int(statement, 1) != 0;
	counts->pending = sqlite3_column_int64(statement, 2);
	counts->behind = sqlite3_column_int64(statement, 3);
	counts->delivered = sqlite3_column_int64(statement, 4);
	counts->dead = sqlite3_column_int64(statement, 5);
	counts->dropped = sqlite3_column_int64(statement, 6);
	counts->last_attempt_ms = sqlite3_column_int64(statement, 7);
	counts->last_delivered_ms = sqlite3_column_int64(statement, 8);
	counts->last_status = sqlite3_column_int(statement, 9);
	counts->last_error = sql_text_dup(statement, 10);
	counts->paused_at_ms = sqlite3_column_int64(statement, 11);
	counts->pause_reason = sql_text_dup(statement, 12);
	counts->hold_until_ms = store_shown_ms(
	    store, hold_until(sqlite3_column_int64(statement, 13),
		       store_now_ms(store)));
	counts->oldest_pending_ms = sqlite3_column_int64(statement, 14);
	counts->next_at_ms = shown_ms(store, statement, 15);
	counts->down_since_ms = shown_ms(store, statement, 16);
	counts->probe_at_ms = shown_ms(store, statement, 17);
	counts->paused_by = sql_text_dup(statement, 18);
	counts->last_answer = first_line_dup(statement, 19);
}

/* The oldest of what waits for somebody who is there to take it. */
static void
note_oldest(struct store_summary *summary, const struct destination *counts)
{
	int64_t oldest_ms = counts->oldest_pending_ms;

	if (!counts->is_configured || oldest_ms == 0)
		return;
	if (summary->oldest_undelivered_ms == 0 ||
	    oldest_ms < summary->oldest_undelivered_ms)
		summary->oldest_undelivered_ms = oldest_ms;
}

/* `state <> 1` is how SQLite sees that the index deliveries_open will do. */
static enum store_status
read_destinations(struct store *store, struct store_summary *summary)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT name, is_configured, pending, behind, delivered, dead, "
	    "dropped, "
	    "last_attempt_ms, last_delivered_ms, last_status, last_error, "
	    "paused_at_ms, pause_reason, hold_until_ms, "
	    "(SELECT received_at_ms FROM events WHERE seq = "
	    "(SELECT seq FROM deliveries WHERE destination = destinations.id "
	    "AND state = 0 AND state <> 1 ORDER BY seq LIMIT 1)), "
	    "(SELECT next_at_ms FROM deliveries "
	    "WHERE destination = destinations.id AND state = 0 "
	    "AND next_at_ms IS NOT NULL ORDER BY next_at_ms LIMIT 1), "
	    "down_since_ms, probe_at_ms, paused_by, "
	    "(SELECT answer FROM attempts WHERE attempts.seq = last_seq "
	    "AND attempts.destination = destinations.id "
	    "ORDER BY number DESC LIMIT 1) FROM destinations "
	    "WHERE is_configured OR pending > 0 OR dead > 0 ORDER BY "
	    "name");

	while ((status = sql_next(store, statement)) == STORE_OK) {
		struct destination *counts;

		summary->destinations = xreallocarray(summary->destinations,
		    summary->destination_count + 1,
		    sizeof *summary->destinations);
		counts = &summary->destinations[summary->destination_count++];
		take_counts(store, statement, counts);
		note_oldest(summary, counts);
	}
	return status == STORE_GONE ? STORE_OK : status;
}

static enum store_status
read_spool(struct store *store, int64_t now_ms, struct store_summary *summary)
{
	enum store_status status = query_begin(store);

	if (status != STORE_OK)
		return status;
	status = read_events(store, summary);
	if (status == STORE_OK)
		status = count_last_hour(store, now_ms, summary);
	if (status == STORE_OK)
		status = read_destinations(store, summary);
	if (status == STORE_OK)
		status = store_read_size(
		    store, &summary->size_bytes, &summary->wal_bytes);
	query_end(store);
	return status;
}

/* Only a relay that runs knows what is down; the last one may be long gone. */
static void
forget_down(struct store_summary *summary)
{
	size_t i;

	for (i = 0; i < summary->destination_count; i++) {
		summary->destinations[i].down_since_ms = 0;
		summary->destinations[i].probe_at_ms = 0;
	}
}

enum store_status
store_summarize(
    struct store *store, int64_t now_ms, struct store_summary *summary)
{
	struct statvfs disk;
	struct stat lock;
	enum store_status status;

	memset(summary, 0, sizeof *summary);
	status = read_spool(store, now_ms, summary);
	if (status != STORE_OK) {
		store_free_summary(summary);
		return status;
	}
	if (fstatvfs(store->folder_fd, &disk) == 0)
		summary->free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
	/* It is written at its making only. */
	if (fstatat(store->folder_fd, LOCK_NAME, &lock, 0) == 0)
		summary->made_at_ms = lock.st_mtim.tv_sec * INT64_C(1000);
	summary->schema_version = store->schema_version;
	summary->is_relay_running =
	    lock_read_holder(store->folder_fd, &summary->relay);
	if (!summary->is_relay_running)
		forget_down(summary);
	summary->has_failure_mark = mark_is_left(store);
	return STORE_OK;
}

enum store_status
store_count_unwanted(
    struct store *store, int64_t limit, int64_t *count, int64_t *unwanted)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT count(*), coalesce(sum(NOT EXISTS (SELECT 1 "
	    "FROM deliveries WHERE deliveries.seq = number)), 0) "
	    "FROM (SELECT seq AS number, event_type FROM events "
	    "WHERE seq <= (SELECT routed_seq FROM progress) "
	    "ORDER BY seq DESC LIMIT ?1) WHERE event_type <> ?2");

	sqlite3_bind_int64(statement, 1, limit);
	sql_bind_text(statement, 2, CONFIG_PROBE_TYPE);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*count = sqlite3_column_int64(statement, 0);
	*unwanted = sqlite3_column_int64(statement, 1);
	sqlite3_reset(statement);
	return STORE_OK;
}

void
store_free_summary(struct store_summary *summary)
{
	store_free_destinations(
	    summary->destinations, summary->destination_count);
	memset(summary, 0, sizeof *summary);
}
