/*
 * Looking at single things: rows as the operator's command shows them, one
 * event with all that belongs to it, and what was refused. Writes nothing.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

const char *
delivery_state_name(enum delivery_state state)
{
	switch (state) {
	case DELIVERY_PENDING:
		return "pending";
	case DELIVERY_DELIVERED:
		return "delivered";
	case DELIVERY_DEAD:
		return "dead";
	case DELIVERY_DROPPED:
		return "dropped";
	case DELIVERY_ORPHANED:
		return "orphaned";
	}
	return "unknown";
}

const char *
outcome_name(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_RETRY:
		return "retry";
	case OUTCOME_DELIVERED:
		return "delivered";
	case OUTCOME_DEAD:
		return "dead";
	case OUTCOME_ABANDONED:
		return "abandoned";
	}
	return "unknown";
}

/* ---- rows ---- */

enum store_status
query_read_event(struct store *store, int64_t seq, struct event_row *event)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT id, received_at_ms, "
	    "seq <= (SELECT routed_seq FROM progress), community, event_type, "
	    "ticket_id, note_id, conversation_id, content_type, remote_addr, "
	    "length(body) FROM events WHERE seq = ?1");

	memset(event, 0, sizeof *event);
	sqlite3_bind_int64(statement, 1, seq);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	event->seq = seq;
	event->id = sql_text_dup(statement, 0);
	event->received_at_ms = sqlite3_column_int64(statement, 1);
	event->is_routed = sqlite3_column_int(statement, 2) != 0;
	event->community = sql_text_dup(statement, 3);
	event->event_type = sql_text_dup(statement, 4);
	event->ticket_id = sql_text_dup(statement, 5);
	event->note_id = sql_text_dup(statement, 6);
	event->conversation_id = sql_text_dup(statement, 7);
	event->content_type = sql_text_dup(statement, 8);
	event->remote_addr = sql_text_dup(statement, 9);
	event->body_bytes = sqlite3_column_int64(statement, 10);
	sqlite3_reset(statement);
	return STORE_OK;
}

void
query_free_event(struct event_row *event)
{
	free(event->id);
	free(event->community);
	free(event->event_type);
	free(event->ticket_id);
	free(event->note_id);
	free(event->conversation_id);
	free(event->content_type);
	free(event->remote_addr);
	free(event->body);
	memset(event, 0, sizeof *event);
}

static void
take_delivery(const struct store *store, sqlite3_stmt *statement,
    struct delivery_row *row)
{
	enum delivery_state state =
	    (enum delivery_state)sqlite3_column_int(statement, 1);

	memset(row, 0, sizeof *row);
	row->destination = sql_text_dup(statement, 0);
	if (state == DELIVERY_PENDING && sqlite3_column_int(statement, 2) == 0)
		state = DELIVERY_ORPHANED;
	row->state = state;
	row->attempts = sqlite3_column_int(statement, 3);
	row->next_at_ms =
	    store_shown_ms(store, sqlite3_column_int64(statement, 4));
	if (sqlite3_column_type(statement, 5) != SQLITE_NULL)
		row->last_outcome = xstrdup(outcome_name(
		    (enum outcome)sqlite3_column_int(statement, 5)));
	row->last_status = sqlite3_column_int(statement, 6);
	row->last_error = sql_text_dup(statement, 7);
	row->settled_at_ms = sqlite3_column_int64(statement, 8);
	row->event_id = sql_text_dup(statement, 9);
}

enum store_status
query_read_deliveries(
    struct store *store, int64_t seq, struct delivery_row **rows, size_t *count)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT name, state, is_configured, attempts, next_at_ms, "
	    "last_outcome, deliveries.last_status, deliveries.last_error, "
	    "settled_at_ms, (SELECT id FROM events WHERE seq = ?1) "
	    "FROM deliveries CROSS JOIN destinations "
	    "WHERE seq = ?1 AND destinations.id = destination ORDER BY name");

	*rows = NULL;
	*count = 0;
	sqlite3_bind_int64(statement, 1, seq);
	while ((status = sql_next(store, statement)) == STORE_OK) {
		*rows = xreallocarray(*rows, *count + 1, sizeof **rows);
		take_delivery(store, statement, &(*rows)[(*count)++]);
	}
	if (status == STORE_GONE)
		return STORE_OK;
	query_free_deliveries(*rows, *count);
	*rows = NULL;
	*count = 0;
	return status;
}

void
query_free_deliveries(struct delivery_row *rows, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(rows[i].event_id);
		free(rows[i].destination);
		free(rows[i].last_outcome);
		free(rows[i].last_error);
		free(rows[i].behind_id);
	}
	free(rows);
}

enum store_status
query_begin(struct store *store)
{
	return sql_run(store, sql_prepare(store, "BEGIN DEFERRED"));
}

void
query_end(struct store *store)
{
	/* Nothing was written. Some failures have ended it already. */
	if (!sqlite3_get_autocommit(store->db))
		(void)sql_run(store, sql_prepare(store, "ROLLBACK"));
}

void
query_write_id_bound(int64_t wall_ms, char *id)
{
	uint64_t ms = wall_ms < 0 ? 0 : (uint64_t)wall_ms;

	snprintf(id, UUID_TEXT_SIZE, "%08" PRIx64 "-%04" PRIx64,
	    (ms >> 16) & 0xffffffff, ms & 0xffff);
}

/* ---- one event ---- */

enum store_status
query_find_seq(struct store *store, const char *id, int64_t *seq)
{
	enum store_status status;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT seq FROM events WHERE id = ?1");

	sql_bind_text(statement, 1, id);
	status = sql_next(store, statement);
	if (status == STORE_GONE)
		return store_say(
		    store, STORE_GONE, "no event has the id %s", id);
	if (status != STORE_OK)
		return status;
	*seq = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return STORE_OK;
}

enum store_status
query_read_body(struct store *store, struct event_row *event)
{
	enum store_status status;
	size_t len = 0;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT body FROM events WHERE seq = ?1");

	sqlite3_bind_int64(statement, 1, event->seq);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	event->body = sql_blob_dup(statement, 0, &len);
	event->body_bytes = (int64_t)len;
	sqlite3_reset(statement);
	return STORE_OK;
}

static void
take_attempt(sqlite3_stmt *statement, struct attempt_row *row)
{
	memset(row, 0, sizeof *row);
	row->destination = sql_text_dup(statement, 0);
	row->number = sqlite3_column_int(statement, 1);
	row->started_at_ms = sqlite3_column_int64(statement, 2);
	row->duration_ms = sqlite3_column_int64(statement, 3);
	row->outcome = (enum outcome)sqlite3_column_int(statement, 4);
	row->status = sqlite3_column_int(statement, 5);
	row->error = sql_text_dup(statement, 6);
	row->answer = sql_blob_dup(statement, 7, &row->answer_bytes);
}

static enum store_status
read_attempts(struct store *store, struct event_detail *detail)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT name, number, started_at_ms, duration_ms, outcome, status, "
	    "error, answer FROM attempts CROSS JOIN destinations "
	    "WHERE seq = ?1 AND destinations.id = destination "
	    "ORDER BY name, number");

	sqlite3_bind_int64(statement, 1, detail->event.seq);
	while ((status = sql_next(store, statement)) == STORE_OK) {
		detail->attempts = xreallocarray(detail->attempts,
		    detail->attempt_count + 1, sizeof *detail->attempts);
		take_attempt(
		    statement, &detail->attempts[detail->attempt_count++]);
	}
	return status == STORE_GONE ? STORE_OK : status;
}

/* The first of its lane, which all others wait for. */
static enum store_status
read_behind(struct store *store, int64_t seq, struct delivery_row *row)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT (SELECT id FROM events WHERE events.seq = earlier.seq) "
	    "FROM destinations CROSS JOIN deliveries AS it "
	    "CROSS JOIN deliveries AS earlier WHERE name = ?2 "
	    "AND it.seq = ?1 AND it.destination = destinations.id "
	    "AND earlier.destination = destinations.id "
	    "AND earlier.lane = it.lane AND earlier.state = 0 "
	    "AND earlier.seq < ?1 ORDER BY earlier.seq LIMIT 1");

	sqlite3_bind_int64(statement, 1, seq);
	sql_bind_text(statement, 2, row->destination);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status == STORE_GONE ? STORE_OK : status;
	row->behind_id = sql_text_dup(statement, 0);
	sqlite3_reset(statement);
	return STORE_OK;
}

static enum store_status
read_all_behind(
    struct store *store, int64_t seq, const struct event_detail *detail)
{
	enum store_status status = STORE_OK;
	size_t i;

	for (i = 0; i < detail->delivery_count && status == STORE_OK; i++) {
		struct delivery_row *row = &detail->deliveries[i];

		if (row->next_at_ms == 0 && row->settled_at_ms == 0)
			status = read_behind(store, seq, row);
	}
	return status;
}

static enum store_status
read_detail(struct store *store, const char *id, struct event_detail *detail)
{
	int64_t seq = 0;
	enum store_status status = query_find_seq(store, id, &seq);

	if (status == STORE_OK)
		status = query_read_event(store, seq, &detail->event);
	if (status == STORE_OK)
		status = query_read_body(store, &detail->event);
	if (status == STORE_OK)
		status = query_read_deliveries(
		    store, seq, &detail->deliveries, &detail->delivery_count);
	if (status == STORE_OK)
		status = read_all_behind(store, seq, detail);
	if (status == STORE_OK)
		status = read_attempts(store, detail);
	return status;
}

enum store_status
store_show_event(
    struct store *store, const char *id, struct event_detail *detail)
{
	enum store_status status;

	memset(detail, 0, sizeof *detail);
	status = query_begin(store);
	if (status != STORE_OK)
		return status;
	status = read_detail(store, id, detail);
	query_end(store);
	if (status != STORE_OK)
		store_free_detail(detail);
	return status;
}

void
store_free_detail(struct event_detail *detail)
{
	size_t i;

	query_free_event(&detail->event);
	query_free_deliveries(detail->deliveries, detail->delivery_count);
	for (i = 0; i < detail->attempt_count; i++) {
		free(detail->attempts[i].destination);
		free(detail->attempts[i].error);
		free(detail->attempts[i].answer);
	}
	free(detail->attempts);
	memset(detail, 0, sizeof *detail);
}

/* ---- what was refused ---- */

/* A refusal with the memory that it borrows. */
struct kept_refusal {
	struct refusal refusal;
	char *why;
	char *content_type;
	char *remote_addr;
	char *body;
};

static void
take_refusal(sqlite3_stmt *statement, struct kept_refusal *kept)
{
	struct refusal *refusal = &kept->refusal;

	memset(kept, 0, sizeof *kept);
	kept->why = sql_text_dup(statement, 3);
	kept->content_type = sql_text_dup(statement, 4);
	kept->remote_addr = sql_text_dup(statement, 5);
	refusal->seq = sqlite3_column_int64(statement, 0);
	refusal->received_at_ms = sqlite3_column_int64(statement, 1);
	refusal->status = sqlite3_column_int(statement, 2);
	refusal->why = kept->why;
	refusal->content_type = kept->content_type;
	refusal->remote_addr = kept->remote_addr;
	refusal->sent_bytes = sqlite3_column_type(statement, 6) == SQLITE_NULL
				  ? -1
				  : sqlite3_column_int64(statement, 6);
	refusal->body_bytes = (size_t)sqlite3_column_int64(statement, 7);
	if (sqlite3_column_type(statement, 8) != SQLITE_NULL)
		kept->body = sql_blob_dup(statement, 8, &refusal->body_bytes);
	refusal->body = kept->body;
}

static void
free_refusal(struct kept_refusal *kept)
{
	free(kept->why);
	free(kept->content_type);
	free(kept->remote_addr);
	free(kept->body);
}

/* The newest refusal from `first` up to and including `last`. */
static enum store_status
read_refusal(
    struct store *store, int64_t first, int64_t last, struct kept_refusal *kept)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq, received_at_ms, status, why, content_type, "
	    "remote_addr, sent_bytes, length(body), iif(?1 = ?2, body, NULL) "
	    "FROM refusals WHERE seq BETWEEN ?1 AND ?2 "
	    "ORDER BY seq DESC LIMIT 1");

	sqlite3_bind_int64(statement, 1, first);
	sqlite3_bind_int64(statement, 2, last);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	take_refusal(statement, kept);
	sqlite3_reset(statement);
	return STORE_OK;
}

enum store_status
store_list_refused(
    struct store *store, int64_t seq, store_each_refusal each, void *arg)
{
	enum store_status status;
	int64_t first = seq != 0 ? seq : INT64_MIN;
	int64_t last = seq != 0 ? seq : INT64_MAX;
	struct kept_refusal kept;
	bool goes_on = true;

	while (goes_on) {
		status = read_refusal(store, first, last, &kept);
		if (status == STORE_GONE && seq == 0)
			break;
		if (status == STORE_GONE)
			return store_say(store, STORE_GONE,
			    "no refused body has the number %lld",
			    (long long)seq);
		if (status != STORE_OK)
			return status;
		goes_on = each(arg, &kept.refusal) && seq == 0;
		last = kept.refusal.seq - 1;
		free_refusal(&kept);
	}
	return STORE_OK;
}
