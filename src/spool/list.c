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

static enum store_status
bound_seqs(struct store *store, struct walk *walk)
{
	int64_t routed_seq = 0;
	enum store_status status = store_read_routed(store, &routed_seq);

	if (walk->filter->state == LIST_STATE_NEW)
		walk->after_seq = routed_seq;
	if (walk->filter->state == LIST_STATE_ROUTED)
		walk->before_seq = routed_seq + 1;
	return status;
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
static enum store_status
is_state_common(struct store *store, const struct walk *walk, bool *is_so)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT 10 * total(CASE ?1 WHEN 2 THEN dead WHEN 3 THEN dropped "
	    "ELSE pending END) > (SELECT coalesce(max(seq), 0) FROM events) "
	    "FROM destinations");

	sqlite3_bind_int(statement, 1, (int)walk->state);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*is_so = sqlite3_column_int(statement, 0) != 0;
	sqlite3_reset(statement);
	return STORE_OK;
}

static enum store_status
choose_way(struct store *store, struct walk *walk)
{
	const struct list_filter *filter = walk->filter;
	bool is_choosy = filter->ticket != NULL || filter->note != NULL ||
			 filter->type != NULL || filter->community != NULL ||
			 filter_has_search(filter);
	bool is_common = false;
	enum store_status status = STORE_OK;

	walk->way =
	    filter->since.is_given || filter->until.is_given ? WAY_ID : WAY_SEQ;
	if (walk->is_upward)
		walk->way = WAY_SEQ;
	if (walk->is_upward || !walk->is_by_delivery ||
	    walk->state == DELIVERY_DELIVERED)
		return STORE_OK;
	if (is_choosy)
		status = is_state_common(store, walk, &is_common);
	if (!is_common)
		walk->way = WAY_STATE;
	return status;
}

/* Fills in the rest of a walk that has its filter. */
static enum store_status
start(struct store *store, struct walk *walk)
{
	enum store_status status;

	walk->before_seq = INT64_MAX;
	walk->is_by_delivery =
	    filter_delivery_state(walk->filter, &walk->state);
	status = choose_way(store, walk);
	if (status != STORE_OK)
		return status;
	bound_ids(walk);
	return bound_seqs(store, walk);
}

/* What the statements of the first two ways give after seq; the body only where
 * it is searched (?3). */
#define FACTS                                                                  \
	"id, received_at_ms, community, event_type, ticket_id, note_id, "      \
	"iif(?3, body, NULL) "
#define BODY_COLUMN 7

static void
bind_search(sqlite3_stmt *statement, const struct walk *walk)
{
	sqlite3_bind_int(statement, 3, filter_has_search(walk->filter) ? 1 : 0);
}

static sqlite3_stmt *
ask_by_seq(struct store *store, const struct walk *walk)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    walk->is_upward ? "SELECT seq, " FACTS "FROM events WHERE seq < ?1 "
			      "AND seq > ?2 ORDER BY seq"
			    : "SELECT seq, " FACTS "FROM events WHERE seq < ?1 "
			      "AND seq > ?2 ORDER BY seq DESC");

	sqlite3_bind_int64(statement, 1, walk->before_seq);
	sqlite3_bind_int64(statement, 2, walk->after_seq);
	bind_search(statement, walk);
	return statement;
}

static sqlite3_stmt *
ask_by_id(struct store *store, const struct walk *walk)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq, " FACTS "FROM events WHERE id < ?1 AND id > ?2 "
	    "ORDER BY id DESC");

	sql_bind_text(statement, 1, walk->before_id);
	sql_bind_text(statement, 2, walk->after_id);
	bind_search(statement, walk);
	return statement;
}

/* The newest one of each destination's, and the newest of these. `state <> 1`
 * is how SQLite sees that the index deliveries_open will do. */
static sqlite3_stmt *
ask_by_state(struct store *store, const struct walk *walk)
{
	bool is_orphaned = walk->state == DELIVERY_ORPHANED;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT max((SELECT seq FROM deliveries "
	    "WHERE destination = destinations.id AND state = ?1 "
	    "AND state <> 1 AND seq < ?2 ORDER BY seq DESC LIMIT 1)) AS next "
	    "FROM destinations WHERE (?3 IS NULL OR name = ?3) "
	    "AND (?1 <> 0 OR is_configured = ?4)");

	sqlite3_bind_int(
	    statement, 1, (int)(is_orphaned ? DELIVERY_PENDING : walk->state));
	sqlite3_bind_int64(statement, 2, walk->before_seq);
	sql_bind_text(statement, 3, walk->filter->destination);
	sqlite3_bind_int(statement, 4, is_orphaned ? 0 : 1);
	return statement;
}

static sqlite3_stmt *
ask(struct store *store, const struct walk *walk)
{
	switch (walk->way) {
	case WAY_SEQ:
		return ask_by_seq(store, walk);
	case WAY_ID:
		return ask_by_id(store, walk);
	case WAY_STATE:
		return ask_by_state(store, walk);
	}
	return NULL;
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

/* A body is no cheap thing to look at: counts what it costs. */
static bool
is_body_asked(struct walk *walk, sqlite3_stmt *row, int column)
{
	if (!filter_has_search(walk->filter))
		return true;
	walk->left -= sqlite3_column_bytes(row, column) / PASS_BYTES;
	return filter_is_found(walk->filter, row, column);
}

/* The rows of a walk by state have no facts: they are looked at later. */
static bool
is_row_asked(struct walk *walk, sqlite3_stmt *row)
{
	const struct filter_facts facts = {
	    .received_at_ms = sqlite3_column_int64(row, 2),
	    .community = (const char *)sqlite3_column_text(row, 3),
	    .event_type = (const char *)sqlite3_column_text(row, 4),
	    .ticket_id = (const char *)sqlite3_column_text(row, 5),
	    .note_id = (const char *)sqlite3_column_text(row, 6)};

	return walk->way == WAY_STATE ||
	       (filter_is_met(walk->filter, &facts) &&
		   is_body_asked(walk, row, BODY_COLUMN));
}

static void
note_place(struct walk *walk, sqlite3_stmt *row)
{
	int64_t seq = sqlite3_column_int64(row, 0);

	if (walk->is_upward)
		walk->after_seq = seq;
	else
		walk->before_seq = seq;
	if (walk->way == WAY_ID)
		snprintf(walk->before_id, sizeof walk->before_id, "%s",
		    (const char *)sqlite3_column_text(row, 1));
}

/* Goes to the next event of the walk that the filter may want; passes over at
 * most walk->left others, and counts them: `seq` is 0 if all of these were.
 * STORE_GONE: it is at its end. */
static enum store_status
advance(struct store *store, struct walk *walk, int64_t *seq)
{
	sqlite3_stmt *row = ask(store, walk);
	enum store_status status = STORE_OK;

	*seq = 0;
	while (*seq == 0 && walk->left > 0) {
		status = sql_next(store, row);
		if (status != STORE_OK)
			return status;
		if (sqlite3_column_type(row, 0) == SQLITE_NULL) {
			status = STORE_GONE;
			break;
		}
		note_place(walk, row);
		walk->looked_at++;
		if (is_row_asked(walk, row))
			*seq = sqlite3_column_int64(row, 0);
		else
			walk->left--;
	}
	sqlite3_reset(row);
	return status;
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

/* Whether the body is asked for; STORE_GONE if not. */
static enum store_status
search_body(struct store *store, struct walk *walk, int64_t seq)
{
	enum store_status status;
	sqlite3_stmt *row =
	    sql_prepare(store, "SELECT body FROM events WHERE seq = ?1");

	sqlite3_bind_int64(row, 1, seq);
	status = sql_next(store, row);
	if (status != STORE_OK)
		return status;
	if (!is_body_asked(walk, row, 0))
		status = STORE_GONE;
	sqlite3_reset(row);
	return status;
}

/* STORE_GONE if the event does not match, or was erased. */
static enum store_status
read_match(
    struct store *store, struct walk *walk, int64_t seq, struct match *match)
{
	enum store_status status = query_read_event(store, seq, &match->event);

	if (status == STORE_OK && !is_event_asked(walk, &match->event))
		status = STORE_GONE;
	if (status == STORE_OK)
		status = query_read_deliveries(
		    store, seq, &match->deliveries, &match->count);
	if (status == STORE_OK &&
	    !is_delivery_asked(walk, match->deliveries, match->count))
		status = STORE_GONE;
	if (status == STORE_OK && walk->way == WAY_STATE)
		status = search_body(store, walk, seq);
	if (status == STORE_OK && walk->has_bodies)
		status = query_read_body(store, &match->event);
	if (status != STORE_OK)
		free_match(match);
	return status;
}

/* Looks for the next match among the next events of the walk; `match` stays
 * empty if there is none. STORE_GONE: the walk is at its end. */
static enum store_status
find_match(struct store *store, struct walk *walk, struct match *match)
{
	enum store_status status = query_begin(store);
	int64_t seq = 0;
	int i;

	if (status != STORE_OK)
		return status;
	walk->left = PASS_MAX_COUNT;
	for (i = 0; i < READ_MAX_COUNT && match->event.id == NULL; i++) {
		status = advance(store, walk, &seq);
		if (status != STORE_OK || seq == 0)
			break;
		status = read_match(store, walk, seq, match);
		if (status == STORE_GONE)
			status = STORE_OK;
		if (status != STORE_OK)
			break;
	}
	query_end(store);
	return status;
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
