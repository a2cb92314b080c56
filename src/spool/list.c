/*
 * Listing: the events that a filter matches, newest first, one at a time.
 * Walks the narrowest index there is for the filter, compares the rest here,
 * and looks at few rows at once, so that a list of a million is no long
 * reader and the caller may take its time with each row.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <stdio.h>
#include <string.h>

#include "spool/tx.h"

#define READ_MAX_COUNT 256   /* events read in one read transaction */
#define PASS_MAX_COUNT 10000 /* events passed over in one */
#define PASS_BYTES     512   /* of a body that is searched: as another one */
#define ID_SLACK_MS                                                            \
	1000 /* an id may be made this long before or after                    \
		received_at_ms is read */

/* What the walk goes along. */
enum way {
	WAY_SEQ,  /* all events, or the new ones, or the routed ones */
	WAY_ID,   /* a span of time: ids sort by it, also if clocks stepped */
	WAY_STATE /* deliveries in a state other than delivered */
};

struct walk {
	const struct list_filter *filter;
	bool is_by_delivery;       /* the filter asks for a delivery's state, */
	enum delivery_state state; /* this one */
	enum way way;
	bool is_upward; /* in capture order */
	bool has_bodies;
	int left;           /* to be passed over in this read transaction */
	int64_t looked_at;  /* events, in all */
	int64_t before_seq; /* the next event is below it */
	int64_t after_seq;  /* and above this one */
	char before_id[UUID_TEXT_SIZE];
	char after_id[UUID_TEXT_SIZE];
};

/* ---- the walk ---- */

static void
bound_seqs(struct tx *tx, struct walk *walk)
{
	int64_t routed_seq = 0;

	tx_get(tx, "SELECT routed_seq FROM progress", &routed_seq);
	if (walk->filter->state == LIST_STATE_NEW)
		walk->after_seq = routed_seq;
	if (walk->filter->state == LIST_STATE_ROUTED)
		walk->before_seq = routed_seq + 1;
}

static void
bound_ids(struct walk *walk)
{
	const struct list_filter *filter = walk->filter;

	walk->after_id[0] = '\0';
	if (filter->since.is_given)
		query_write_id_bound(
		    filter->since.ms - ID_SLACK_MS, walk->after_id);
	snprintf(walk->before_id, sizeof walk->before_id, "g");
	if (filter->until.is_given)
		query_write_id_bound(
		    filter->until.ms + ID_SLACK_MS, walk->before_id);
}

/* Chooses between two walks. Reading one delivery by its state costs about as
 * much as skipping ten events: the state is common once more than a tenth of
 * the events have a delivery in it, and then skipping events is cheaper. */
static bool
is_state_common(struct tx *tx, const struct walk *walk)
{
	bool is_so = false;

	tx_get(tx,
	    "SELECT 10 * total(CASE ?1 WHEN 2 THEN dead WHEN 3 THEN dropped "
	    "ELSE pending END) > (SELECT coalesce(max(seq), 0) FROM events) "
	    "FROM destinations",
	    walk->state, &is_so);
	return is_so;
}

static enum way
choose_way(struct tx *tx, const struct walk *walk)
{
	const struct list_filter *filter = walk->filter;
	bool is_choosy = filter->ticket != NULL || filter->note != NULL ||
			 filter->type != NULL || filter->community != NULL ||
			 filter_has_search(filter);

	if (walk->is_upward)
		return WAY_SEQ;
	if (walk->is_by_delivery && walk->state != DELIVERY_DELIVERED &&
	    !(is_choosy && is_state_common(tx, walk)))
		return WAY_STATE;
	return filter->since.is_given || filter->until.is_given ? WAY_ID
								: WAY_SEQ;
}

/* Fills in the rest of a walk that has its filter. */
static enum store_status
start(struct store *store, struct walk *walk)
{
	struct tx tx = tx_none(store);

	walk->before_seq = INT64_MAX;
	walk->is_by_delivery =
	    filter_delivery_state(walk->filter, &walk->state);
	walk->way = choose_way(&tx, walk);
	bound_ids(walk);
	bound_seqs(&tx, walk);
	return tx_end(&tx);
}

/* The columns by seq and by id; the body only where it is searched (?3). */
#define FACTS                                                                  \
	"id, received_at_ms, community, event_type, ticket_id, note_id, "      \
	"iif(?3, body, NULL) "

static void
ask_by_seq(struct tx *tx, const struct walk *walk)
{
	const char *sql = walk->is_upward
			      ? "SELECT seq, " FACTS "FROM events "
				"WHERE seq < ?1 AND seq > ?2 ORDER BY seq"
			      : "SELECT seq, " FACTS "FROM events "
				"WHERE seq < ?1 AND seq > ?2 ORDER BY seq DESC";

	tx_ask(tx, sql, walk->before_seq, walk->after_seq,
	    filter_has_search(walk->filter));
}

static void
ask_by_id(struct tx *tx, const struct walk *walk, const char *before_id)
{
	tx_ask(tx,
	    "SELECT seq, " FACTS "FROM events WHERE id < ?1 AND id > ?2 "
	    "ORDER BY id DESC",
	    before_id, walk->after_id, filter_has_search(walk->filter));
}

/* Asks for the newest delivery of each destination, and of these for the newest
 * one. `state <> 1` shows SQLite that the index deliveries_open will do. */
static void
ask_by_state(struct tx *tx, const struct walk *walk)
{
	bool is_orphaned = walk->state == DELIVERY_ORPHANED;

	tx_ask(tx,
	    "SELECT max((SELECT seq FROM deliveries "
	    "WHERE destination = destinations.id AND state = ?1 "
	    "AND state <> 1 AND seq < ?2 ORDER BY seq DESC LIMIT 1)) AS next "
	    "FROM destinations WHERE (?3 IS NULL OR name = ?3) "
	    "AND (?1 <> 0 OR is_configured = ?4)",
	    is_orphaned ? DELIVERY_PENDING : walk->state, walk->before_seq,
	    walk->filter->destination, !is_orphaned);
}

/* `before_id` is the walk's, in a copy that stays while rows are read. */
static void
ask(struct tx *tx, const struct walk *walk, const char *before_id)
{
	switch (walk->way) {
	case WAY_SEQ:
		ask_by_seq(tx, walk);
		return;
	case WAY_ID:
		ask_by_id(tx, walk, before_id);
		return;
	case WAY_STATE:
		ask_by_state(tx, walk);
		return;
	}
}

/* ---- the filter ---- */

static bool
is_event_asked(const struct walk *walk, const struct event_row *event)
{
	const struct filter_facts facts = {
	    .received_at_ms = event->received_at_ms,
	    .community = event->community,
	    .event_type = event->event_type,
	    .ticket_id = event->ticket_id,
	    .note_id = event->note_id};

	if (walk->filter->state == LIST_STATE_NEW && event->is_routed)
		return false;
	if (walk->filter->state == LIST_STATE_ROUTED && !event->is_routed)
		return false;
	return filter_is_met(walk->filter, &facts);
}

/* Whether one of them has both the state and the destination asked for. */
static bool
is_delivery_asked(
    const struct walk *walk, const struct delivery_row *rows, size_t count)
{
	const char *destination = walk->filter->destination;
	bool is_any_state = !walk->is_by_delivery;
	size_t i;

	if (is_any_state && destination == NULL)
		return true;
	for (i = 0; i < count; i++)
		if ((destination == NULL ||
			strcmp(destination, rows[i].destination) == 0) &&
		    (is_any_state || rows[i].state == walk->state))
			return true;
	return false;
}

/* ---- to the next one ---- */

/* One row of the walk. By state there is the seq alone. */
struct row {
	int64_t seq;
	const char *id;
	struct filter_facts facts;
	struct sql_bytes body;
};

static bool
next_row(struct tx *tx, const struct walk *walk, struct row *row)
{
	struct filter_facts *facts = &row->facts;

	if (walk->way == WAY_STATE) /* NULL where there is none */
		return tx_next(tx, &row->seq) && row->seq != 0;
	return tx_next(tx, &row->seq, &row->id, &facts->received_at_ms,
	    &facts->community, &facts->event_type, &facts->ticket_id,
	    &facts->note_id, &row->body);
}

/* Counts a body that is searched as several events: it costs as much. */
static bool
is_body_asked(struct walk *walk, const struct sql_bytes *body)
{
	walk->left -= (int)(body->len / PASS_BYTES);
	return filter_is_found(walk->filter, body);
}

/* By state the event is looked at later. */
static bool
is_row_asked(struct walk *walk, const struct row *row)
{
	return walk->way == WAY_STATE ||
	       (filter_is_met(walk->filter, &row->facts) &&
		   is_body_asked(walk, &row->body));
}

static void
note_place(struct walk *walk, const struct row *row)
{
	if (walk->is_upward)
		walk->after_seq = row->seq;
	else
		walk->before_seq = row->seq;
	if (walk->way == WAY_ID)
		snprintf(
		    walk->before_id, sizeof walk->before_id, "%s", row->id);
}

/* Goes to the next event of the walk that the filter may want; passes over at
 * most walk->left others, and counts them: `seq` is 0 if all of these were.
 * False: the walk is at its end. */
static bool
advance(struct tx *tx, struct walk *walk, int64_t *seq)
{
	char before_id[UUID_TEXT_SIZE];
	bool is_there = true;
	struct row row;

	*seq = 0;
	memcpy(before_id, walk->before_id, sizeof before_id);
	ask(tx, walk, before_id);
	while (*seq == 0 && walk->left > 0) {
		is_there = next_row(tx, walk, &row);
		if (!is_there)
			break;
		note_place(walk, &row);
		walk->looked_at++;
		if (is_row_asked(walk, &row))
			*seq = row.seq;
		else
			walk->left--;
	}
	tx_stop(tx);
	return is_there;
}

/* ---- the list ---- */

/* An event that matches, with its deliveries. */
struct match {
	struct event_row event;
	struct delivery_row *deliveries;
	size_t count;
};

static void
free_match(struct match *match)
{
	query_free_event(&match->event);
	query_free_deliveries(match->deliveries, match->count);
	memset(match, 0, sizeof *match);
}

static bool
search_body(struct tx *tx, struct walk *walk, int64_t seq)
{
	struct sql_bytes body;
	bool is_found;

	if (!filter_has_search(walk->filter))
		return true;
	tx_ask(tx, "SELECT body FROM events WHERE seq = ?1", seq);
	is_found = tx_next(tx, &body) && is_body_asked(walk, &body);
	tx_stop(tx);
	return is_found;
}

/* Reads an event that may match. Leaves `match` empty if it does not match, or
 * was erased. */
static void
read_match(struct tx *tx, struct walk *walk, int64_t seq, struct match *match)
{
	bool is_match = query_read_event(tx, seq, &match->event) &&
			is_event_asked(walk, &match->event);

	if (is_match)
		query_read_deliveries(
		    tx, seq, &match->deliveries, &match->count);
	is_match = is_match &&
		   is_delivery_asked(walk, match->deliveries, match->count) &&
		   (walk->way != WAY_STATE || search_body(tx, walk, seq));
	if (is_match && walk->has_bodies)
		query_read_body(tx, &match->event);
	if (!is_match || !tx_is_ok(tx))
		free_match(match);
}

/* Looks for the next match among the next events of the walk; `match` stays
 * empty if there is none. STORE_GONE: the walk is at its end. */
static enum store_status
find_match(struct store *store, struct walk *walk, struct match *match)
{
	struct tx tx = tx_begin_read(store);
	int64_t seq = 0;
	int i;

	walk->left = PASS_MAX_COUNT;
	for (i = 0; i < READ_MAX_COUNT && match->event.id == NULL; i++) {
		if (!advance(&tx, walk, &seq))
			tx_fail(&tx, STORE_GONE);
		if (!tx_is_ok(&tx) || seq == 0)
			break;
		read_match(&tx, walk, seq, match);
	}
	return tx_end(&tx);
}

static bool
show_progress(const struct walk *walk)
{
	const struct list_filter *filter = walk->filter;

	return filter->progress == NULL ||
	       filter->progress(filter->progress_arg, walk->looked_at);
}

static enum store_status
give_all(
    struct store *store, struct walk *walk, store_each_event each, void *arg)
{
	struct match match = {.count = 0};
	size_t given = 0, limit = walk->filter->limit;
	bool goes_on = true;
	enum store_status status = start(store, walk);

	while (status == STORE_OK && goes_on && (limit == 0 || given < limit)) {
		status = find_match(store, walk, &match);
		goes_on = show_progress(walk);
		if (match.event.id == NULL)
			continue;
		given++;
		goes_on =
		    each(arg, &match.event, match.deliveries, match.count) &&
		    goes_on;
		free_match(&match);
	}
	return status == STORE_GONE ? STORE_OK : status;
}

enum store_status
store_list(struct store *store, const struct list_filter *filter,
    store_each_event each, void *arg)
{
	struct walk walk = {.filter = filter};

	return give_all(store, &walk, each, arg);
}

enum store_status
store_export(struct store *store, const struct list_filter *filter,
    store_each_event each, void *arg)
{
	struct walk walk = {
	    .filter = filter, .is_upward = true, .has_bodies = true};

	return give_all(store, &walk, each, arg);
}

enum store_status
store_list_after(struct store *store, const struct list_filter *filter,
    int64_t *seq, store_each_event each, void *arg)
{
	struct walk walk = {
	    .filter = filter, .is_upward = true, .after_seq = *seq};
	enum store_status status = give_all(store, &walk, each, arg);

	*seq = walk.after_seq;
	return status;
}
