/*
 * Selecting deliveries to be changed: see select.h. Goes along each state of
 * each destination by its index; or, where one destination is to get what
 * others have, along the events.
 */
#include "config.h"

#include "spool/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "spool/store_internal.h"

#define LOOK_MAX_COUNT 10000 /* rows in one look */
#define LOOK_BYTES     512   /* of a body that is searched: as another row */

/* ---- where to look ---- */

static enum store_status
find_places(struct store *store, struct selection *selection)
{
	enum store_status status;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT id, is_configured FROM destinations "
			       "WHERE ?1 IS NULL OR name = ?1 ORDER BY id");

	sql_bind_text(statement, 1, selection->filter->destination);
	while ((status = sql_next(store, statement)) == STORE_OK) {
		selection->places = xreallocarray(selection->places,
		    selection->place_count + 1, sizeof *selection->places);
		selection->places[selection->place_count++] =
		    (struct destination){
			.id = sqlite3_column_int64(statement, 0),
			.is_configured = sqlite3_column_int(statement, 1) != 0};
	}
	return status == STORE_GONE ? STORE_OK : status;
}

/* Of events that are not routed there is nothing to select. */
static enum store_status
find_bounds(struct store *store, struct selection *selection)
{
	int64_t routed_seq = 0, seq = 0;
	enum store_status status = store_read_routed(store, &routed_seq);

	selection->first_seq = 1;
	selection->last_seq = routed_seq;
	if (status != STORE_OK || selection->event_id == NULL)
		return status;
	status = query_find_seq(store, selection->event_id, &seq);
	selection->first_seq = seq;
	selection->last_seq = seq <= routed_seq ? seq : 0;
	return status;
}

enum store_status
select_start(struct store *store, struct selection *selection)
{
	enum store_status status;

	selection->places = NULL;
	selection->place_count = 0;
	status = find_places(store, selection);
	if (status == STORE_OK)
		status = find_bounds(store, selection);
	selection->place = 0;
	selection->state = DELIVERY_PENDING;
	selection->seq = selection->first_seq - 1;
	return status;
}

void
select_end(struct selection *selection)
{
	free(selection->places);
	selection->places = NULL;
}

/* ---- what to ask ---- */

/* Whether what is stored as the state that is looked at is chosen. */
static bool
is_state_chosen(const struct selection *selection)
{
	if (selection->state == DELIVERY_PENDING &&
	    !selection->places[selection->place].is_configured)
		return selection->is_chosen[DELIVERY_ORPHANED];
	return selection->is_chosen[selection->state];
}

static void
go_to_next_state(struct selection *selection)
{
	selection->seq = selection->first_seq - 1;
	if (++selection->state < DELIVERY_ORPHANED)
		return;
	selection->state = DELIVERY_PENDING;
	selection->place++;
}

/* The statements below give these after seq, state and next_at_ms; the body
 * only where it is searched (?7). */
#define FACTS                                                                  \
	"received_at_ms, community, event_type, ticket_id, note_id, "          \
	"iif(?7, body, NULL) "
#define BODY_COLUMN 8

/* `state <> 1` is how SQLite sees that the index deliveries_open will do. */
static sqlite3_stmt *
ask_open(struct store *store, const struct selection *selection)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT d.seq, d.state, d.next_at_ms, " FACTS
	    "FROM deliveries AS d CROSS JOIN events ON events.seq = d.seq "
	    "WHERE d.destination = ?1 AND d.state = ?2 AND d.state <> 1 "
	    "AND d.seq > ?3 AND d.seq <= ?4 ORDER BY d.seq");

	sqlite3_bind_int64(
	    statement, 1, selection->places[selection->place].id);
	sqlite3_bind_int(statement, 2, selection->state);
	return statement;
}

/* No index knows what is delivered: goes along all deliveries. */
static sqlite3_stmt *
ask_delivered(struct store *store, const struct selection *selection)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT d.seq, d.state, d.next_at_ms, " FACTS
	    "FROM deliveries AS d CROSS JOIN events ON events.seq = d.seq "
	    "WHERE +d.destination = ?1 AND d.state = 1 "
	    "AND d.seq > ?3 AND d.seq <= ?4 ORDER BY d.seq");

	sqlite3_bind_int64(
	    statement, 1, selection->places[selection->place].id);
	return statement;
}

/* The states that are chosen, a bit each. */
static int
states_mask(const struct selection *selection)
{
	int state, mask = 0;

	for (state = 0; state <= DELIVERY_ORPHANED; state++)
		mask |= selection->is_chosen[state] ? 1 << state : 0;
	return mask;
}

/* Each event of which a delivery matches, and the one to `to` of it. */
static sqlite3_stmt *
ask_events(struct store *store, const struct selection *selection)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT events.seq, coalesce(t.state, -1), t.next_at_ms, " FACTS
	    "FROM events LEFT JOIN deliveries AS t "
	    "ON t.seq = events.seq AND t.destination = ?1 "
	    "WHERE events.seq > ?3 AND events.seq <= ?4 AND (?2 OR EXISTS "
	    "(SELECT 1 FROM deliveries AS d CROSS JOIN destinations "
	    "ON destinations.id = d.destination WHERE d.seq = events.seq "
	    "AND (?5 IS NULL OR name = ?5) AND ?6 & (1 << CASE WHEN "
	    "d.state = 0 AND NOT is_configured THEN 4 ELSE d.state END))) "
	    "ORDER BY events.seq");

	sqlite3_bind_int64(statement, 1, selection->to);
	sqlite3_bind_int(statement, 2, selection->is_any_chosen ? 1 : 0);
	sql_bind_text(statement, 5, selection->filter->destination);
	sqlite3_bind_int(statement, 6, states_mask(selection));
	return statement;
}

/* A look goes up to `last_seq`. In an index the rows that are looked at lie
 * together and can be counted; elsewhere a look is a span of seqs. */
static sqlite3_stmt *
ask(struct store *store, const struct selection *selection, int64_t *last_seq)
{
	bool is_index_there =
	    selection->to == 0 && selection->state != DELIVERY_DELIVERED;
	sqlite3_stmt *statement =
	    selection->to != 0 ? ask_events(store, selection)
	    : is_index_there   ? ask_open(store, selection)
			       : ask_delivered(store, selection);

	*last_seq = selection->last_seq;
	if (!is_index_there && *last_seq - selection->seq > LOOK_MAX_COUNT)
		*last_seq = selection->seq + LOOK_MAX_COUNT;
	sqlite3_bind_int64(statement, 3, selection->seq);
	sqlite3_bind_int64(statement, 4, *last_seq);
	sqlite3_bind_int(
	    statement, 7, filter_has_search(selection->filter) ? 1 : 0);
	return statement;
}

/* ---- a look ---- */

static bool
is_match(const struct selection *selection, sqlite3_stmt *row)
{
	const struct filter_facts facts = {
	    .received_at_ms = sqlite3_column_int64(row, 3),
	    .community = (const char *)sqlite3_column_text(row, 4),
	    .event_type = (const char *)sqlite3_column_text(row, 5),
	    .ticket_id = (const char *)sqlite3_column_text(row, 6),
	    .note_id = (const char *)sqlite3_column_text(row, 7)};

	return filter_is_met(selection->filter, &facts) &&
	       (selection->wants == NULL ||
		   selection->wants(selection->wants_arg, facts.event_type,
		       facts.community)) &&
	       filter_is_found(selection->filter, row, BODY_COLUMN);
}

static struct candidate
take(const struct selection *selection, sqlite3_stmt *row, int64_t now_ms)
{
	struct candidate candidate = {.seq = sqlite3_column_int64(row, 0),
	    .destination = selection->to,
	    .state = sqlite3_column_int(row, 1),
	    .is_waiting = sqlite3_column_int64(row, 2) > now_ms,
	    .is_behind = sqlite3_column_type(row, 2) == SQLITE_NULL,
	    .is_configured = true};

	if (selection->to == 0) {
		const struct destination *place =
		    &selection->places[selection->place];

		candidate.destination = place->id;
		candidate.is_configured = place->is_configured;
	}
	return candidate;
}

/* STORE_GONE: there is no more in this state, or among the events. */
static enum store_status
look(struct store *store, struct selection *selection, struct candidate *found,
    size_t *count)
{
	enum store_status status;
	int64_t last_seq, now_ms = store_now_ms(store);
	int looked = 0;
	sqlite3_stmt *row = ask(store, selection, &last_seq);

	while ((status = sql_next(store, row)) == STORE_OK) {
		selection->seq = sqlite3_column_int64(row, 0);
		if (is_match(selection, row))
			found[(*count)++] = take(selection, row, now_ms);
		looked +=
		    1 + sqlite3_column_bytes(row, BODY_COLUMN) / LOOK_BYTES;
		if (*count == SELECT_MAX_COUNT || looked >= LOOK_MAX_COUNT) {
			sqlite3_reset(row);
			return STORE_OK;
		}
	}
	if (status != STORE_GONE)
		return status;
	selection->seq = last_seq;
	return last_seq < selection->last_seq ? STORE_OK : STORE_GONE;
}

enum store_status
select_next(struct store *store, struct selection *selection,
    struct candidate *found, size_t *count)
{
	enum store_status status;

	*count = 0;
	if (selection->to != 0) {
		status = look(store, selection, found, count);
		return status == STORE_GONE && *count > 0 ? STORE_OK : status;
	}
	while (selection->place < selection->place_count) {
		if (!is_state_chosen(selection)) {
			go_to_next_state(selection);
			continue;
		}
		status = look(store, selection, found, count);
		if (status != STORE_GONE)
			return status;
		go_to_next_state(selection);
		if (*count > 0)
			return STORE_OK;
	}
	return STORE_GONE;
}
