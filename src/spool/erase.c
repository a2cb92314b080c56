/*
 * Retention: erases what has outlived its time, a small step at a time, so
 * that the lock is never held for long. Finds it by the table `settled`, so
 * that looking costs nothing where nothing is due. Never erases an event that
 * is new or of which something is pending or orphaned.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#define STEP_MAX_EVENTS   50
#define STEP_MAX_BYTES    (4 << 20) /* of bodies, but at least one event */
#define STEP_MAX_REFUSALS 20

/* ---- events ---- */

/* The event that has waited longest among those settled by `settled_by_ms`,
 * all of them delivered or dropped, or with a dead one. STORE_GONE: none. */
static enum store_status
find_old_event(
    struct store *store, bool has_dead, int64_t settled_by_ms, int64_t *seq)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq FROM settled WHERE has_dead = ?1 AND at_ms <= ?2 "
	    "ORDER BY at_ms, seq LIMIT 1");

	sqlite3_bind_int(statement, 1, has_dead ? 1 : 0);
	sqlite3_bind_int64(statement, 2, settled_by_ms);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*seq = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return STORE_OK;
}

static enum store_status
find_due(struct store *store, const struct retention *retention, int64_t *seq)
{
	enum store_status status = STORE_GONE;

	if (retention->retain_ms > 0)
		status = find_old_event(store, false,
		    retention->now_ms - retention->retain_ms, seq);
	if (status == STORE_GONE && retention->retain_dead_ms > 0)
		status = find_old_event(store, true,
		    retention->now_ms - retention->retain_dead_ms, seq);
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
	    "OR seq > (SELECT routed_seq FROM progress) "
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
		status =
		    run_for(store, "DELETE FROM settled WHERE seq = ?1", seq);
	if (status == STORE_OK)
		status =
		    run_for(store, "DELETE FROM events WHERE seq = ?1", seq);
	if (status == STORE_OK)
		status = sql_run(
		    store, sql_prepare(store,
			       "UPDATE progress "
			       "SET erased_events = erased_events + 1"));
	return status;
}

/* Erases the event due first. STORE_GONE: none is due. */
static enum store_status
erase_next(
    struct store *store, const struct retention *retention, int64_t *body_bytes)
{
	int64_t seq = 0;
	enum store_status status = find_due(store, retention, &seq);

	return status == STORE_OK ? erase_event(store, seq, body_bytes)
				  : status;
}

/* One step, under the lock. STORE_GONE: nothing is due any more. */
static enum store_status
erase_events(
    struct store *store, const struct retention *retention, int64_t *erased)
{
	enum store_status status = STORE_OK;
	int64_t bytes = 0;
	int i;

	for (i = 0; i < STEP_MAX_EVENTS && bytes < STEP_MAX_BYTES; i++) {
		int64_t body_bytes = 0;

		status = erase_next(store, retention, &body_bytes);
		if (status != STORE_OK)
			break;
		bytes += body_bytes;
		++*erased;
	}
	return status;
}

/* ---- refused bodies ---- */

/* The oldest refusal's number, if its time is over. There are few of them:
 * they are found without an index. */
static enum store_status
find_old_refusal(struct store *store, const struct retention *retention)
{
	enum store_status status;
	sqlite3_stmt *statement;

	if (retention->retain_refused_ms == 0)
		return STORE_GONE;
	statement = sql_prepare(
	    store, "SELECT 1 FROM refusals WHERE received_at_ms <= ?1 LIMIT 1");
	sqlite3_bind_int64(
	    statement, 1, retention->now_ms - retention->retain_refused_ms);
	status = sql_next(store, statement);
	if (status == STORE_OK)
		sqlite3_reset(statement);
	return status;
}

/* One step, under the lock. */
static enum store_status
erase_refusals(
    struct store *store, const struct retention *retention, int64_t *erased)
{
	enum store_status status;
	int64_t until_ms = retention->now_ms - retention->retain_refused_ms;
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE refusals SET body = zeroblob(length(body)) WHERE seq IN "
	    "(SELECT seq FROM refusals WHERE received_at_ms <= ?1 "
	    "ORDER BY seq LIMIT ?2)");

	sqlite3_bind_int64(statement, 1, until_ms);
	sqlite3_bind_int(statement, 2, STEP_MAX_REFUSALS);
	status = sql_run(store, statement);
	if (status != STORE_OK)
		return status;
	statement = sql_prepare(store,
	    "DELETE FROM refusals WHERE seq IN "
	    "(SELECT seq FROM refusals WHERE received_at_ms <= ?1 "
	    "ORDER BY seq LIMIT ?2)");
	sqlite3_bind_int64(statement, 1, until_ms);
	sqlite3_bind_int(statement, 2, STEP_MAX_REFUSALS);
	status = sql_run(store, statement);
	if (status == STORE_OK)
		*erased += sqlite3_changes(store->db);
	return status;
}

/* ---- a step ---- */

/* STORE_OK: something is due. STORE_GONE: nothing. Takes no lock. */
static enum store_status
look(struct store *store, const struct retention *retention)
{
	int64_t seq = 0;
	enum store_status status = find_due(store, retention, &seq);

	return status == STORE_GONE ? find_old_refusal(store, retention)
				    : status;
}

static enum store_status
step(struct store *store, const struct retention *retention, int64_t *erased)
{
	enum store_status status = erase_events(store, retention, erased);

	if (status != STORE_GONE)
		return status; /* a full step, or a failure */
	status = find_old_refusal(store, retention);
	if (status == STORE_GONE)
		return STORE_OK;
	return status == STORE_OK ? erase_refusals(store, retention, erased)
				  : status;
}

enum store_status
store_erase_old(struct store *store, const struct retention *retention,
    int64_t *erased, bool *is_more)
{
	enum store_status status = look(store, retention);

	*erased = 0;
	*is_more = false;
	if (status == STORE_GONE)
		return STORE_OK;
	/* Overflow pages are zeroed as well when they become free pages. */
	if (status == STORE_OK)
		status = sql_run(
		    store, sql_prepare(store, "PRAGMA secure_delete = ON"));
	if (status == STORE_OK)
		status = store_begin(store, store_deadline(store));
	if (status != STORE_OK)
		return status;
	status = step(store, retention, erased);
	if (status == STORE_OK)
		status = store_commit(store);
	else
		store_rollback(store);
	if (status != STORE_OK) {
		*erased = 0;
		return status;
	}
	status = look(store, retention);
	*is_more = status == STORE_OK;
	return status == STORE_GONE ? STORE_OK : status;
}
