/*
 * Retention: erases what has outlived its time, a small step at a time, so
 * that the lock is never held for long. Finds it by the table `settled`, so
 * that looking costs nothing where nothing is due. Never erases an event that
 * is new or of which something is pending or orphaned.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"

#define FULL_PERCENT      90 /* of max_size, and room is made */
#define STEP_MAX_EVENTS   50
#define STEP_MAX_BYTES    (1 << 20) /* of bodies, but at least one event */
#define STEP_MAX_REFUSALS 20
#define AHEAD_MAX_MS      60000 /* of us, by who refuses at the same time */

/* What was settled, or refused, then or earlier may go. */
struct cutoff {
	int64_t settled_ms; /* events that are delivered or dropped */
	int64_t dead_ms;    /* events with a dead delivery */
	int64_t refused_ms;
	int64_t now_ms;
};

static int64_t
cutoff_after(int64_t now_ms, int64_t retain_ms)
{
	return retain_ms > 0 ? now_ms - retain_ms : INT64_MIN;
}

/* Looks at the size as well: if the spool is nearly full, whatever was
 * delivered may go, so that there is room for what comes. The log does not
 * count here: where a reader keeps it long, erasing makes it longer. */
static enum store_status
read_cutoff(struct store *store, const struct retention *retention,
    struct cutoff *cutoff)
{
	int64_t max_bytes = store->max_size_bytes, bytes = 0, wal_bytes = 0;
	int64_t now_ms = retention->now_ms;
	enum store_status status = STORE_OK;

	cutoff->settled_ms = cutoff_after(now_ms, retention->retain_ms);
	cutoff->dead_ms = cutoff_after(now_ms, retention->retain_dead_ms);
	cutoff->now_ms = now_ms;
	cutoff->refused_ms = cutoff_after(now_ms, retention->retain_refused_ms);
	if (max_bytes > 0)
		status = store_read_size(store, &bytes, &wal_bytes);
	if (bytes - wal_bytes > max_bytes / 100 * FULL_PERCENT)
		cutoff->settled_ms = INT64_MAX;
	return status;
}

/* ---- events ---- */

/* The event that was settled first of those settled by `by_ms`, with a dead
 * delivery or without one. STORE_GONE: there is none. */
static enum store_status
find_settled(struct store *store, bool has_dead, int64_t by_ms, int64_t *seq)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq FROM settled WHERE has_dead = ?1 AND at_ms <= ?2 "
	    "ORDER BY at_ms, seq LIMIT 1");

	sqlite3_bind_int(statement, 1, has_dead ? 1 : 0);
	sqlite3_bind_int64(statement, 2, by_ms);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*seq = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return STORE_OK;
}

static enum store_status
find_event(struct store *store, const struct cutoff *cutoff, int64_t *seq)
{
	enum store_status status =
	    find_settled(store, false, cutoff->settled_ms, seq);

	if (status == STORE_GONE)
		status = find_settled(store, true, cutoff->dead_ms, seq);
	return status;
}

static enum store_status
run_for(struct store *store, const char *sql, int64_t seq)
{
	sqlite3_stmt *statement = sql_prepare(store, sql);

	sqlite3_bind_int64(statement, 1, seq);
	return sql_run(store, statement);
}

/* Takes its deliveries out of the counts, and removes them. */
static enum store_status
erase_deliveries(struct store *store, int64_t seq)
{
	enum store_status status = run_for(store,
	    "UPDATE destinations SET delivered = delivered - (state = 1), "
	    "dead = dead - (state = 2), dropped = dropped - (state = 3) "
	    "FROM deliveries "
	    "WHERE seq = ?1 AND destinations.id = deliveries.destination",
	    seq);

	if (status == STORE_OK)
		status =
		    run_for(store, "DELETE FROM attempts WHERE seq = ?1", seq);
	if (status == STORE_OK)
		status = run_for(
		    store, "DELETE FROM deliveries WHERE seq = ?1", seq);
	return status;
}

enum store_status
erase_event(struct store *store, int64_t seq, int64_t *body_bytes)
{
	enum store_status status;
	int64_t pending = 0;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT length(body), EXISTS (SELECT 1 FROM deliveries "
	    "WHERE deliveries.seq = ?1 AND state = 0) "
	    "FROM events WHERE seq = ?1");

	sqlite3_bind_int64(statement, 1, seq);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*body_bytes = sqlite3_column_int64(statement, 0);
	pending = sqlite3_column_int64(statement, 1);
	sqlite3_reset(statement);
	assert(pending == 0);

	status = run_for(store,
	    "UPDATE events SET body = zeroblob(length(body)) WHERE seq = ?1",
	    seq);
	if (status == STORE_OK)
		status = erase_deliveries(store, seq);
	if (status == STORE_OK)
		status = replay_count_wanted(store, seq);
	if (status == STORE_OK)
		status =
		    run_for(store, "DELETE FROM settled WHERE seq = ?1", seq);
	if (status == STORE_OK)
		status =
		    run_for(store, "DELETE FROM events WHERE seq = ?1", seq);
	if (status == STORE_OK)
		status = run_for(store,
		    "UPDATE progress SET erased_events = erased_events + 1, "
		    "erased_new = erased_new + (?1 > routed_seq)",
		    seq);
	return status;
}

/* Erases the event due first. STORE_GONE: none is due. */
static enum store_status
erase_next(
    struct store *store, const struct cutoff *cutoff, int64_t *body_bytes)
{
	int64_t seq = 0;
	enum store_status status = find_event(store, cutoff, &seq);

	return status == STORE_OK ? erase_event(store, seq, body_bytes)
				  : status;
}

/* STORE_OK: as much as one step may. STORE_GONE: no more is due. */
static enum store_status
erase_events(struct store *store, const struct cutoff *cutoff, int64_t *erased)
{
	enum store_status status = STORE_OK;
	int64_t bytes = 0;
	int i;

	for (i = 0; i < STEP_MAX_EVENTS && bytes < STEP_MAX_BYTES; i++) {
		int64_t body_bytes = 0;

		status = erase_next(store, cutoff, &body_bytes);
		if (status != STORE_OK)
			break;
		bytes += body_bytes;
		++*erased;
	}
	return status;
}

/* ---- refused bodies: few, and so found without an index ---- */

/* What was refused at ?1 or earlier. A time that lies ahead is of before the
 * clock was set. */
#define REFUSED_BY                                                             \
	"iif(received_at_ms + ?2 > ?4, ?3, " SQL_CAPTURED_AT(                  \
	    "?2", "?3") ") "                                                   \
			"<= ?1 "

static sqlite3_stmt *
prepare_refused(
    struct store *store, const char *sql, const struct cutoff *cutoff)
{
	sqlite3_stmt *statement = sql_prepare(store, sql);

	sqlite3_bind_int64(statement, 1, cutoff->refused_ms);
	sqlite3_bind_int64(statement, 2, cutoff->now_ms - clock_wall_ms());
	sqlite3_bind_int64(statement, 3, store->stepped_at_ms);
	sqlite3_bind_int64(statement, 4, cutoff->now_ms + AHEAD_MAX_MS);
	return statement;
}

/* STORE_OK: there is one to erase. STORE_GONE: there is none. */
static enum store_status
find_refusal(struct store *store, const struct cutoff *cutoff)
{
	enum store_status status;
	sqlite3_stmt *statement = prepare_refused(store,
	    "SELECT 1 FROM refusals WHERE " REFUSED_BY "LIMIT 1", cutoff);

	status = sql_next(store, statement);
	if (status == STORE_OK)
		sqlite3_reset(statement);
	return status;
}

static enum store_status
run_for_refusals(
    struct store *store, const char *sql, const struct cutoff *cutoff)
{
	sqlite3_stmt *statement = prepare_refused(store, sql, cutoff);

	sqlite3_bind_int(statement, 5, STEP_MAX_REFUSALS);
	return sql_run(store, statement);
}

static enum store_status
erase_refusals(
    struct store *store, const struct cutoff *cutoff, int64_t *erased)
{
	enum store_status status = run_for_refusals(store,
	    "UPDATE refusals SET body = zeroblob(length(body)) WHERE seq IN "
	    "(SELECT seq FROM refusals WHERE " REFUSED_BY
	    "ORDER BY seq LIMIT ?5)",
	    cutoff);

	if (status == STORE_OK)
		status = run_for_refusals(store,
		    "DELETE FROM refusals WHERE seq IN "
		    "(SELECT seq FROM refusals WHERE " REFUSED_BY
		    "ORDER BY seq LIMIT ?5)",
		    cutoff);
	if (status == STORE_OK)
		*erased += sqlite3_changes(store->db);
	return status;
}

enum store_status
erase_refusal(struct store *store, int64_t seq)
{
	enum store_status status = run_for(store,
	    "UPDATE refusals SET body = zeroblob(length(body)) WHERE seq = ?1",
	    seq);

	if (status == STORE_OK)
		status =
		    run_for(store, "DELETE FROM refusals WHERE seq = ?1", seq);
	return status;
}

/* ---- a step ---- */

/* STORE_OK: there is something to erase. STORE_GONE: nothing. No lock. */
static enum store_status
look(struct store *store, const struct retention *retention,
    struct cutoff *cutoff)
{
	int64_t seq = 0;
	enum store_status status = read_cutoff(store, retention, cutoff);

	if (status == STORE_OK)
		status = find_event(store, cutoff, &seq);
	if (status == STORE_GONE)
		status = find_refusal(store, cutoff);
	return status;
}

static enum store_status
erase_step(struct store *store, const struct cutoff *cutoff, int64_t *erased)
{
	enum store_status status = store_begin(store, store_deadline(store));

	if (status != STORE_OK)
		return status;
	status = erase_events(store, cutoff, erased);
	if (status == STORE_GONE)
		status = erase_refusals(store, cutoff, erased);
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}

enum store_status
store_erase_old(struct store *store, const struct retention *retention,
    int64_t *erased, bool *is_more)
{
	struct cutoff cutoff;
	enum store_status status = look(store, retention, &cutoff);

	*erased = 0;
	*is_more = false;
	if (status == STORE_OK)
		status = erase_step(store, &cutoff, erased);
	if (status == STORE_GONE)
		return STORE_OK;
	if (status != STORE_OK) {
		*erased = 0;
		return status;
	}
	status = look(store, retention, &cutoff);
	*is_more = status == STORE_OK;
	return status == STORE_GONE ? STORE_OK : status;
}

/* ---- what is under way ---- */

enum store_status
store_read_erased(struct store *store, int64_t *erased_events, bool *is_seen)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT erased_events, seen_erased >= erased_events FROM progress");

	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*erased_events = sqlite3_column_int64(statement, 0);
	*is_seen = sqlite3_column_int(statement, 1) != 0;
	sqlite3_reset(statement);
	return STORE_OK;
}

enum store_status
store_note_seen(struct store *store, int64_t erased_events)
{
	enum store_status status = store_begin(store, store_deadline(store));

	if (status != STORE_OK)
		return status;
	status = run_for(
	    store, "UPDATE progress SET seen_erased = ?1", erased_events);
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}

enum store_status
store_has_event(struct store *store, int64_t seq, bool *is_there)
{
	enum store_status status;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT 1 FROM events WHERE seq = ?1");

	sqlite3_bind_int64(statement, 1, seq);
	status = sql_next(store, statement);
	*is_there = status == STORE_OK;
	if (status == STORE_OK)
		sqlite3_reset(statement);
	return status == STORE_GONE ? STORE_OK : status;
}
