/*
 * Listing: the events that a filter matches, newest first, one at a time.
 * Walks the narrowest index there is for the filter, compares the rest here,
 * and looks at few rows at once, so that a list of a million is no long
 * reader and the caller may take its time with each row.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define READ_MAX_COUNT 256 /* events looked at in one read transaction */
#define ID_SLACK_MS                                                            \
	1000 /* an id may be made this long before or after                    \
		received_at_ms is read */

/* What the walk goes along. */
enum walk {
	WALK_SEQ,  /* all events, or the new ones, or the routed ones */
	WALK_ID,   /* a span of time: ids sort by it, also if clocks stepped */
	WALK_STATE /* deliveries that are not delivered */
};

struct cursor {
	enum walk walk;
	int64_t before_seq; /* the next one is below it */
	int64_t after_seq;  /* and above this one */
	char before_id[UUID_TEXT_SIZE];
	char after_id[UUID_TEXT_SIZE];
	enum delivery_state state; /* of WALK_STATE */
};

/* What `filter->state` names. */
enum asked { ASKED_NOTHING, ASKED_NEW, ASKED_ROUTED, ASKED_DELIVERY };

static bool
read_asked(const char *name, enum asked *asked, enum delivery_state *state)
{
	int i;

	*state = DELIVERY_PENDING;
	*asked = ASKED_DELIVERY;
	if (name == NULL)
		*asked = ASKED_NOTHING;
	else if (strcmp(name, "new") == 0)
		*asked = ASKED_NEW;
	else if (strcmp(name, "routed") == 0)
		*asked = ASKED_ROUTED;
	if (*asked != ASKED_DELIVERY)
		return true;
	for (i = DELIVERY_PENDING; i <= DELIVERY_ORPHANED; i++) {
		*state = (enum delivery_state)i;
		if (strcmp(name, delivery_state_name(*state)) == 0)
			return true;
	}
	return false;
}

/* ---- the walk ---- */

static enum store_status
start(struct store *store, const struct list_filter *filter,
    struct cursor *cursor)
{
	enum store_status status = STORE_OK;
	enum asked asked;
	int64_t routed_seq = 0;

	memset(cursor, 0, sizeof *cursor);
	cursor->before_seq = INT64_MAX;
	if (!read_asked(filter->state, &asked, &cursor->state))
		return store_say(store, STORE_REFUSED,
		    "no state is called \"%s\": there are new and routed for "
		    "events, pending, delivered, dead, dropped and orphaned "
		    "for deliveries",
		    filter->state);
	if (asked == ASKED_NEW || asked == ASKED_ROUTED)
		status = store_read_routed(store, &routed_seq);
	if (asked == ASKED_NEW)
		cursor->after_seq = routed_seq;
	if (asked == ASKED_ROUTED)
		cursor->before_seq = routed_seq + 1;
	if (asked == ASKED_DELIVERY && cursor->state != DELIVERY_DELIVERED) {
		cursor->walk = WALK_STATE;
	} else if (filter->since_ms > 0 || filter->until_ms > 0) {
		cursor->walk = WALK_ID;
		query_write_id_bound(
		    filter->since_ms - ID_SLACK_MS, cursor->after_id);
		snprintf(cursor->before_id, sizeof cursor->before_id, "g");
		if (filter->until_ms > 0)
			query_write_id_bound(
			    filter->until_ms + ID_SLACK_MS, cursor->before_id);
	}
	return status;
}

static sqlite3_stmt *
ask_by_seq(struct store *store, const struct cursor *cursor)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq FROM events WHERE seq < ?1 AND seq > ?2 "
	    "ORDER BY seq DESC LIMIT 1");

	sqlite3_bind_int64(statement, 1, cursor->before_seq);
	sqlite3_bind_int64(statement, 2, cursor->after_seq);
	return statement;
}

static sqlite3_stmt *
ask_by_id(struct store *store, const struct cursor *cursor)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq, id FROM events WHERE id < ?1 AND id > ?2 "
	    "ORDER BY id DESC LIMIT 1");

	sql_bind_text(statement, 1, cursor->before_id);
	sql_bind_text(statement, 2, cursor->after_id);
	return statement;
}

/* The newest one of each destination's, and the newest of these. `state <> 1`
 * is how SQLite sees that the index deliveries_open will do. */
static sqlite3_stmt *
ask_by_state(struct store *store, const struct list_filter *filter,
    const struct cursor *cursor)
{
	bool is_orphaned = cursor->state == DELIVERY_ORPHANED;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT max((SELECT seq FROM deliveries "
	    "WHERE destination = destinations.id AND state = ?1 "
	    "AND state <> 1 AND seq < ?2 ORDER BY seq DESC LIMIT 1)) AS next "
	    "FROM destinations WHERE (?3 IS NULL OR name = ?3) "
	    "AND (?1 <> 0 OR is_configured = ?4)");

	sqlite3_bind_int(statement, 1,
	    (int)(is_orphaned ? DELIVERY_PENDING : cursor->state));
	sqlite3_bind_int64(statement, 2, cursor->before_seq);
	sql_bind_text(statement, 3, filter->destination);
	sqlite3_bind_int(statement, 4, is_orphaned ? 0 : 1);
	return statement;
}

static sqlite3_stmt *
ask(struct store *store, const struct list_filter *filter,
    const struct cursor *cursor)
{
	switch (cursor->walk) {
	case WALK_SEQ:
		return ask_by_seq(store, cursor);
	case WALK_ID:
		return ask_by_id(store, cursor);
	case WALK_STATE:
		return ask_by_state(store, filter, cursor);
	}
	return NULL;
}

/* Goes to the next event of the walk. STORE_GONE: it is at its end. */
static enum store_status
advance(struct store *store, const struct list_filter *filter,
    struct cursor *cursor, int64_t *seq)
{
	sqlite3_stmt *statement = ask(store, filter, cursor);
	enum store_status status;

	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	if (sqlite3_column_type(statement, 0) == SQLITE_NULL)
		status = STORE_GONE;
	*seq = sqlite3_column_int64(statement, 0);
	cursor->before_seq = *seq;
	if (cursor->walk == WALK_ID)
		snprintf(cursor->before_id, sizeof cursor->before_id, "%s",
		    (const char *)sqlite3_column_text(statement, 1));
	sqlite3_reset(statement);
	return status;
}

/* ---- the filter ---- */

static bool
is_pattern_met(const char *pattern, const char *text)
{
	return pattern == NULL ||
	       fnmatch(pattern, text != NULL ? text : "", 0) == 0;
}

static bool
is_equal(const char *wanted, const char *text)
{
	return wanted == NULL || (text != NULL && strcmp(wanted, text) == 0);
}

static bool
is_event_asked(const struct list_filter *filter, const struct event_row *event)
{
	enum asked asked;
	enum delivery_state state;

	(void)read_asked(filter->state, &asked, &state);
	if (asked == ASKED_NEW && event->is_routed)
		return false;
	if (asked == ASKED_ROUTED && !event->is_routed)
		return false;
	if (filter->since_ms > 0 && event->received_at_ms < filter->since_ms)
		return false;
	if (filter->until_ms > 0 && event->received_at_ms >= filter->until_ms)
		return false;
	return is_equal(filter->ticket, event->ticket_id) &&
	       is_equal(filter->note, event->note_id) &&
	       is_pattern_met(filter->type, event->event_type) &&
	       is_pattern_met(filter->community, event->community);
}

/* Whether one of them has both the state and the destination asked for. */
static bool
is_delivery_asked(const struct list_filter *filter,
    const struct delivery_row *rows, size_t count)
{
	enum asked asked;
	enum delivery_state state;
	size_t i;

	(void)read_asked(filter->state, &asked, &state);
	if (asked != ASKED_DELIVERY && filter->destination == NULL)
		return true;
	for (i = 0; i < count; i++)
		if (is_equal(filter->destination, rows[i].destination) &&
		    (asked != ASKED_DELIVERY || rows[i].state == state))
			return true;
	return false;
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

/* STORE_GONE if the event does not match, or was erased. */
static enum store_status
read_match(struct store *store, const struct list_filter *filter, int64_t seq,
    struct match *match)
{
	enum store_status status = query_read_event(store, seq, &match->event);

	if (status == STORE_OK && !is_event_asked(filter, &match->event))
		status = STORE_GONE;
	if (status == STORE_OK)
		status = query_read_deliveries(
		    store, seq, &match->deliveries, &match->count);
	if (status == STORE_OK &&
	    !is_delivery_asked(filter, match->deliveries, match->count))
		status = STORE_GONE;
	if (status != STORE_OK)
		free_match(match);
	return status;
}

/* Looks for the next match among the next READ_MAX_COUNT events of the walk;
 * `match` stays empty if there is none. STORE_GONE: the walk is at its end. */
static enum store_status
find_match(struct store *store, const struct list_filter *filter,
    struct cursor *cursor, struct match *match)
{
	enum store_status status = query_begin(store);
	int64_t seq = 0;
	int i;

	if (status != STORE_OK)
		return status;
	for (i = 0; i < READ_MAX_COUNT && match->event.id == NULL; i++) {
		status = advance(store, filter, cursor, &seq);
		if (status != STORE_OK)
			break;
		status = read_match(store, filter, seq, match);
		if (status == STORE_GONE)
			status = STORE_OK;
		if (status != STORE_OK)
			break;
	}
	query_end(store);
	return status;
}

enum store_status
store_list(struct store *store, const struct list_filter *filter,
    store_each_event each, void *arg)
{
	struct cursor cursor;
	struct match match = {.count = 0};
	size_t given = 0;
	bool goes_on = true;
	enum store_status status = start(store, filter, &cursor);

	while (status == STORE_OK && goes_on &&
	       (filter->limit == 0 || given < filter->limit)) {
		status = find_match(store, filter, &cursor, &match);
		if (match.event.id == NULL)
			continue;
		given++;
		goes_on =
		    each(arg, &match.event, match.deliveries, match.count);
		free_match(&match);
	}
	return status == STORE_GONE ? STORE_OK : status;
}
