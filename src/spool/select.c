/*
 * Selects deliveries to be changed: see select.h. Walks each state of each
 * destination by its index; or, where one destination is to get the events of
 * others, walks the events.
 */
#include "config.h"

#include "spool/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "spool/store_internal.h"
#include "spool/tx.h"

#define LOOK_MAX_COUNT 10000     /* rows in one look */
#define LOOK_BYTES     512       /* of a searched body count as another row */
#define NO_TIME        INT64_MIN /* of a delivery that is behind */

/* ---- where to look ---- */

static void
find_places(struct tx *tx, struct selection *selection)
{
	struct destination place = {.name = NULL};

	tx_ask(tx,
	    "SELECT id, is_configured FROM destinations "
	    "WHERE ?1 IS NULL OR name = ?1 ORDER BY id",
	    selection->filter->destination);
	while (tx_next(tx, &place.id, &place.is_configured)) {
		selection->places = xreallocarray(selection->places,
		    selection->place_count + 1, sizeof *selection->places);
		selection->places[selection->place_count++] = place;
	}
}

/* Leaves out events that are not routed: they have no deliveries. */
static void
find_bounds(struct tx *tx, struct selection *selection)
{
	int64_t routed_seq = 0, seq;

	tx_get(tx, "SELECT routed_seq FROM progress", &routed_seq);
	selection->first_seq = 1;
	selection->last_seq = routed_seq;
	if (selection->event_id == NULL)
		return;
	seq = query_find_seq(tx, selection->event_id);
	selection->first_seq = seq;
	selection->last_seq = seq <= routed_seq ? seq : 0;
}

enum store_status
select_start(struct store *store, struct selection *selection)
{
	struct tx tx = tx_none(store);

	selection->places = NULL;
	selection->place_count = 0;
	find_places(&tx, selection);
	find_bounds(&tx, selection);
	selection->place = 0;
	selection->state = DELIVERY_PENDING;
	selection->seq = selection->first_seq - 1;
	return tx_end(&tx);
}

void
select_end(struct selection *selection)
{
	free(selection->places);
	selection->places = NULL;
}

/* ---- what to ask ---- */

/* Whether the state that is looked at, as it is stored, is chosen. */
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

/* The statements give these after seq, state and next_at_ms, the body only
 * where it is searched (?1). A look goes from beyond ?2 to ?3. */
#define FACTS                                                                  \
	"received_at_ms, community, event_type, ticket_id, note_id, "          \
	"iif(?1, body, NULL) "

/* `state <> 1` shows SQLite that the index deliveries_open will do. */
static void
ask_open(struct tx *tx, const struct selection *selection, int64_t last_seq)
{
	tx_ask(tx,
	    "SELECT d.seq, d.state, d.next_at_ms, " FACTS
	    "FROM deliveries AS d CROSS JOIN events ON events.seq = d.seq "
	    "WHERE d.destination = ?4 AND d.state = ?5 AND d.state <> 1 "
	    "AND d.seq > ?2 AND d.seq <= ?3 ORDER BY d.seq",
	    filter_has_search(selection->filter), selection->seq, last_seq,
	    selection->places[selection->place].id, selection->state);
}

/* Walks all deliveries: delivered ones are in no index. */
static void
ask_delivered(
    struct tx *tx, const struct selection *selection, int64_t last_seq)
{
	tx_ask(tx,
	    "SELECT d.seq, d.state, d.next_at_ms, " FACTS
	    "FROM deliveries AS d CROSS JOIN events ON events.seq = d.seq "
	    "WHERE +d.destination = ?4 AND d.state = 1 "
	    "AND d.seq > ?2 AND d.seq <= ?3 ORDER BY d.seq",
	    filter_has_search(selection->filter), selection->seq, last_seq,
	    selection->places[selection->place].id);
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

/* Asks for each event with a delivery that matches, and its delivery to `to`.
 */
static void
ask_events(struct tx *tx, const struct selection *selection, int64_t last_seq)
{
	tx_ask(tx,
	    "SELECT events.seq, coalesce(t.state, -1), t.next_at_ms, " FACTS
	    "FROM events LEFT JOIN deliveries AS t "
	    "ON t.seq = events.seq AND t.destination = ?4 "
	    "WHERE events.seq > ?2 AND events.seq <= ?3 AND (?5 OR EXISTS "
	    "(SELECT 1 FROM deliveries AS d CROSS JOIN destinations "
	    "ON destinations.id = d.destination WHERE d.seq = events.seq "
	    "AND (?6 IS NULL OR name = ?6) AND ?7 & (1 << CASE WHEN "
	    "d.state = 0 AND NOT is_configured THEN 4 ELSE d.state END))) "
	    "ORDER BY events.seq",
	    filter_has_search(selection->filter), selection->seq, last_seq,
	    selection->to, selection->is_any_chosen,
	    selection->filter->destination, states_mask(selection));
}

/* Returns the last seq of the look. In an index the rows of a look lie together
 * and can be counted; elsewhere a look is a span of seqs. */
static int64_t
ask(struct tx *tx, const struct selection *selection)
{
	bool is_index_there =
	    selection->to == 0 && selection->state != DELIVERY_DELIVERED;
	int64_t last_seq = selection->last_seq;

	if (!is_index_there && last_seq - selection->seq > LOOK_MAX_COUNT)
		last_seq = selection->seq + LOOK_MAX_COUNT;
	if (selection->to != 0)
		ask_events(tx, selection, last_seq);
	else if (is_index_there)
		ask_open(tx, selection, last_seq);
	else
		ask_delivered(tx, selection, last_seq);
	return last_seq;
}

/* ---- a look ---- */

static bool
is_match(const struct selection *selection, const struct filter_facts *facts,
    const struct sql_bytes *body)
{
	return filter_is_met(selection->filter, facts) &&
	       (selection->wants == NULL ||
		   selection->wants(selection->wants_arg, facts->event_type,
		       facts->community)) &&
	       filter_is_found(selection->filter, body);
}

static struct candidate
take(const struct selection *selection, int state, int64_t next_at_ms,
    int64_t now_ms)
{
	struct candidate candidate = {.seq = selection->seq,
	    .destination = selection->to,
	    .state = state,
	    .is_waiting = next_at_ms > now_ms,
	    .is_behind = next_at_ms == NO_TIME,
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
	int64_t now_ms = store_now_ms(store), next_at_ms;
	struct tx tx = tx_none(store);
	int64_t last_seq = ask(&tx, selection);
	size_t looked = 0;
	struct filter_facts facts;
	struct sql_bytes body;
	int state;

	while (tx_next(&tx, &selection->seq, &state,
	    sql_int_or(&next_at_ms, NO_TIME), &facts.received_at_ms,
	    &facts.community, &facts.event_type, &facts.ticket_id,
	    &facts.note_id, &body)) {
		if (is_match(selection, &facts, &body))
			found[(*count)++] =
			    take(selection, state, next_at_ms, now_ms);
		looked += 1 + body.len / LOOK_BYTES;
		if (*count == SELECT_MAX_COUNT || looked >= LOOK_MAX_COUNT)
			return tx_end(&tx);
	}
	if (tx_is_ok(&tx))
		selection->seq = last_seq;
	if (last_seq == selection->last_seq)
		tx_fail(&tx, STORE_GONE);
	return tx_end(&tx);
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
