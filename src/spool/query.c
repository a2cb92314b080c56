/*
 * Reads single things: rows as the operator's command shows them, one event
 * with all that belongs to it, and refused bodies. Writes nothing.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "spool/tx.h"

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

bool
query_read_event(struct tx *tx, int64_t seq, struct event_row *event)
{
	memset(event, 0, sizeof *event);
	event->seq = seq;
	return tx_get(tx,
	    "SELECT id, received_at_ms, "
	    "seq <= (SELECT routed_seq FROM progress), community, event_type, "
	    "ticket_id, note_id, conversation_id, content_type, remote_addr, "
	    "length(body) FROM events WHERE seq = ?1",
	    seq, &event->id, &event->received_at_ms, &event->is_routed,
	    &event->community, &event->event_type, &event->ticket_id,
	    &event->note_id, &event->conversation_id, &event->content_type,
	    &event->remote_addr, &event->body_bytes);
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

void
query_read_deliveries(
    struct tx *tx, int64_t seq, struct delivery_row **rows, size_t *count)
{
	struct delivery_row row = {.behind_id = NULL};
	bool is_configured;
	int64_t outcome;

	*rows = NULL;
	*count = 0;
	tx_ask(tx,
	    "SELECT name, state, is_configured, attempts, next_at_ms, "
	    "last_outcome, deliveries.last_status, deliveries.last_error, "
	    "settled_at_ms, (SELECT id FROM events WHERE seq = ?1) "
	    "FROM deliveries CROSS JOIN destinations "
	    "WHERE seq = ?1 AND destinations.id = destination ORDER BY name",
	    seq);
	while (tx_next(tx, &row.destination, &row.state, &is_configured,
	    &row.attempts, &row.next_at_ms, sql_int_or(&outcome, -1),
	    &row.last_status, &row.last_error, &row.settled_at_ms,
	    &row.event_id)) {
		if (row.state == DELIVERY_PENDING && !is_configured)
			row.state = DELIVERY_ORPHANED;
		row.next_at_ms = store_shown_ms(tx->store, row.next_at_ms);
		row.last_outcome =
		    outcome < 0 ? NULL
				: xstrdup(outcome_name((enum outcome)outcome));
		*rows = xreallocarray(*rows, *count + 1, sizeof **rows);
		(*rows)[(*count)++] = row;
	}
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

void
query_write_id_bound(int64_t wall_ms, char *id)
{
	uint64_t ms = wall_ms < 0 ? 0 : (uint64_t)wall_ms;

	snprintf(id, UUID_TEXT_SIZE, "%08" PRIx64 "-%04" PRIx64,
	    (ms >> 16) & 0xffffffff, ms & 0xffff);
}

/* ---- one event ---- */

int64_t
query_find_seq(struct tx *tx, const char *id)
{
	int64_t seq = 0;

	if (!tx_get(tx, "SELECT seq FROM events WHERE id = ?1", id, &seq))
		tx_say(tx, STORE_GONE, "no event has the id %s", id);
	return seq;
}

void
query_read_body(struct tx *tx, struct event_row *event)
{
	size_t len = 0;

	if (tx_get(tx, "SELECT body FROM events WHERE seq = ?1", event->seq,
		sql_blob_to(&event->body, &len)))
		event->body_bytes = (int64_t)len;
}

static void
read_attempts(struct tx *tx, struct event_detail *detail)
{
	struct attempt_row row;

	tx_ask(tx,
	    "SELECT name, number, started_at_ms, duration_ms, outcome, status, "
	    "error, answer FROM attempts CROSS JOIN destinations "
	    "WHERE seq = ?1 AND destinations.id = destination "
	    "ORDER BY name, number",
	    detail->event.seq);
	while (tx_next(tx, &row.destination, &row.number, &row.started_at_ms,
	    &row.duration_ms, &row.outcome, &row.status, &row.error,
	    sql_blob_to(&row.answer, &row.answer_bytes))) {
		detail->attempts = xreallocarray(detail->attempts,
		    detail->attempt_count + 1, sizeof *detail->attempts);
		detail->attempts[detail->attempt_count++] = row;
	}
}

/* Reads the first event of the lane: all the others wait for it. */
static void
read_behind(struct tx *tx, int64_t seq, struct delivery_row *row)
{
	tx_get(tx,
	    "SELECT (SELECT id FROM events WHERE events.seq = earlier.seq) "
	    "FROM destinations CROSS JOIN deliveries AS it "
	    "CROSS JOIN deliveries AS earlier WHERE name = ?2 "
	    "AND it.seq = ?1 AND it.destination = destinations.id "
	    "AND earlier.destination = destinations.id "
	    "AND earlier.lane = it.lane AND earlier.state = 0 "
	    "AND earlier.seq < ?1 ORDER BY earlier.seq LIMIT 1",
	    seq, row->destination, &row->behind_id);
}

static void
read_detail(struct tx *tx, const char *id, struct event_detail *detail)
{
	int64_t seq = query_find_seq(tx, id);
	size_t i;

	query_read_event(tx, seq, &detail->event);
	query_read_body(tx, &detail->event);
	query_read_deliveries(
	    tx, seq, &detail->deliveries, &detail->delivery_count);
	for (i = 0; i < detail->delivery_count; i++) {
		struct delivery_row *row = &detail->deliveries[i];

		if (row->next_at_ms == 0 && row->settled_at_ms == 0)
			read_behind(tx, seq, row);
	}
	read_attempts(tx, detail);
}

enum store_status
store_show_event(
    struct store *store, const char *id, struct event_detail *detail)
{
	struct tx tx = tx_begin_read(store);

	memset(detail, 0, sizeof *detail);
	read_detail(&tx, id, detail);
	if (tx_end(&tx) != STORE_OK)
		store_free_detail(detail);
	return tx.status;
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

/* ---- refused bodies ---- */

/* A refusal, and the memory behind its pointers. */
struct kept_refusal {
	struct refusal refusal;
	char *why;
	char *content_type;
	char *remote_addr;
	char *body;
};

static void
free_refusal(struct kept_refusal *kept)
{
	free(kept->why);
	free(kept->content_type);
	free(kept->remote_addr);
	free(kept->body);
}

/* Reads the newest refusal from `first` up to and including `last`. */
static bool
read_refusal(
    struct tx *tx, int64_t first, int64_t last, struct kept_refusal *kept)
{
	struct refusal *refusal = &kept->refusal;
	int64_t body_bytes = 0;

	memset(kept, 0, sizeof *kept);
	if (!tx_get(tx,
		"SELECT seq, received_at_ms, status, why, content_type, "
		"remote_addr, sent_bytes, length(body), "
		"iif(?1 = ?2, body, NULL) "
		"FROM refusals WHERE seq BETWEEN ?1 AND ?2 "
		"ORDER BY seq DESC LIMIT 1",
		first, last, &refusal->seq, &refusal->received_at_ms,
		&refusal->status, &kept->why, &kept->content_type,
		&kept->remote_addr, sql_int_or(&refusal->sent_bytes, -1),
		&body_bytes, &kept->body))
		return false;
	refusal->why = kept->why;
	refusal->content_type = kept->content_type;
	refusal->remote_addr = kept->remote_addr;
	refusal->body = kept->body;
	refusal->body_bytes = (size_t)body_bytes;
	return true;
}

enum store_status
store_list_refused(
    struct store *store, int64_t seq, store_each_refusal each, void *arg)
{
	int64_t first = seq != 0 ? seq : INT64_MIN;
	int64_t last = seq != 0 ? seq : INT64_MAX;
	struct tx tx = tx_none(store);
	struct kept_refusal kept;
	bool goes_on = true;

	while (goes_on && read_refusal(&tx, first, last, &kept)) {
		goes_on = each(arg, &kept.refusal) && seq == 0;
		last = kept.refusal.seq - 1;
		free_refusal(&kept);
	}
	if (goes_on && seq != 0)
		tx_say(&tx, STORE_GONE, "no refused body has the number %lld",
		    (long long)seq);
	return tx_end(&tx);
}
