/*
 * The summary: how much there is, what waits and since when. Each figure is a
 * counter kept by the transactions that change it, or the first row of an
 * index; only the events of the last hour are counted one by one.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "spool/tx.h"

#define HOUR_MS   INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

#define ANSWER_SHOWN_BYTES 200

static void
read_events(struct tx *tx, struct store_summary *summary)
{
	if (!tx_get(tx,
		"SELECT last - erased_events, last - routed_seq - erased_new, "
		"(SELECT received_at_ms FROM events "
		"WHERE seq = (SELECT max(seq) FROM events)), "
		"(SELECT received_at_ms FROM events WHERE seq > routed_seq "
		"ORDER BY seq LIMIT 1), (SELECT count(*) FROM refusals), "
		"unwanted_events "
		"FROM progress, (SELECT coalesce(max(seq), 0) AS last "
		"FROM sqlite_sequence WHERE name = 'events')",
		&summary->events, &summary->events_new,
		&summary->newest_event_ms, &summary->oldest_undelivered_ms,
		&summary->refused, &summary->events_unwanted))
		tx_fail(tx, STORE_GONE);
}

/* Counts by the time in the ids, without those of a clock that ran ahead. */
static void
count_last_hour(struct tx *tx, int64_t now_ms, struct store_summary *summary)
{
	char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];

	query_write_id_bound(now_ms - HOUR_MS, from);
	query_write_id_bound(now_ms + MINUTE_MS, to);
	tx_get(tx, "SELECT count(*) FROM events WHERE id >= ?1 AND id < ?2",
	    from, to, &summary->events_last_hour);
}

/* Cuts an answer to its first line; frees it, and returns NULL, if nothing is
 * left. */
static char *
first_line(char *text)
{
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

/* Takes the oldest delivery that waits for a configured destination. */
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

/* `state <> 1` shows SQLite that the index deliveries_open will do. */
static const char destinations_sql[] =
    "SELECT name, is_configured, pending, behind, delivered, dead, "
    "dropped, last_attempt_ms, last_delivered_ms, last_status, last_error, "
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
    "WHERE is_configured OR pending > 0 OR dead > 0 ORDER BY name";

static void
read_destinations(struct tx *tx, struct store_summary *summary)
{
	const struct store *store = tx->store;
	struct destination row = {.name = NULL};

	tx_ask(tx, destinations_sql);
	while (tx_next(tx, &row.name, &row.is_configured, &row.pending,
	    &row.behind, &row.delivered, &row.dead, &row.dropped,
	    &row.last_attempt_ms, &row.last_delivered_ms, &row.last_status,
	    &row.last_error, &row.paused_at_ms, &row.pause_reason,
	    &row.hold_until_ms, &row.oldest_pending_ms, &row.next_at_ms,
	    &row.down_since_ms, &row.probe_at_ms, &row.paused_by,
	    &row.last_answer)) {
		row.hold_until_ms = store_shown_ms(
		    store, hold_until(row.hold_until_ms, store_now_ms(store)));
		row.next_at_ms = store_shown_ms(store, row.next_at_ms);
		row.down_since_ms = store_shown_ms(store, row.down_since_ms);
		row.probe_at_ms = store_shown_ms(store, row.probe_at_ms);
		row.last_answer = first_line(row.last_answer);
		note_oldest(summary, &row);
		summary->destinations = xreallocarray(summary->destinations,
		    summary->destination_count + 1,
		    sizeof *summary->destinations);
		summary->destinations[summary->destination_count++] = row;
	}
}

static enum store_status
read_spool(struct store *store, int64_t now_ms, struct store_summary *summary)
{
	struct tx tx = tx_begin_read(store);

	read_events(&tx, summary);
	count_last_hour(&tx, now_ms, summary);
	read_destinations(&tx, summary);
	if (tx_is_ok(&tx))
		tx_fail(&tx, store_read_size(store, &summary->size_bytes,
				 &summary->wal_bytes));
	return tx_end(&tx);
}

/* Without a relay nobody knows what is down: the last one may be long gone. */
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
	/* The lock is written when the spool is made, and never again. */
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
	struct tx tx = tx_none(store);

	tx_get(&tx,
	    "SELECT count(*), coalesce(sum(NOT EXISTS (SELECT 1 "
	    "FROM deliveries WHERE deliveries.seq = number)), 0) "
	    "FROM (SELECT seq AS number, event_type FROM events "
	    "WHERE seq <= (SELECT routed_seq FROM progress) "
	    "ORDER BY seq DESC LIMIT ?1) WHERE event_type <> ?2",
	    limit, CONFIG_PROBE_TYPE, count, unwanted);
	return tx_end(&tx);
}

void
store_free_summary(struct store_summary *summary)
{
	store_free_destinations(
	    summary->destinations, summary->destination_count);
	memset(summary, 0, sizeof *summary);
}
