/*
 * What keeps a destination from being delivered to: an operator's pause, its
 * own 410, a Retry-After. How long all that has lasted is counted, so that no
 * delivery dies of it: each change first adds up what has passed.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define HOLD_MAX_MS (INT64_C(24) * 3600 * 1000) /* as Retry-After may ask */

int64_t
hold_until(int64_t until_ms, int64_t now_ms)
{
	return until_ms > now_ms && until_ms - now_ms <= HOLD_MAX_MS ? until_ms
								     : 0;
}

/* ---- a change: what has passed is added up, and counted anew ---- */

static enum store_status
find_destination(struct store *store, const char *name, int64_t *id)
{
	enum store_status status;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT id FROM destinations WHERE name = ?1");

	sql_bind_text(statement, 1, name);
	status = sql_next(store, statement);
	if (status == STORE_GONE)
		return store_say(store, STORE_GONE,
		    "the spool knows no destination \"%s\": it learns of one "
		    "when the relay loads the configuration",
		    name);
	if (status != STORE_OK)
		return status;
	*id = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return STORE_OK;
}

enum store_status
store_read_names(struct store *store, char ***names, size_t *count)
{
	enum store_status status;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT name FROM destinations ORDER BY name");

	*names = NULL;
	*count = 0;
	while ((status = sql_next(store, statement)) == STORE_OK) {
		*names = xreallocarray(*names, *count + 1, sizeof **names);
		(*names)[(*count)++] = sql_text_dup(statement, 0);
	}
	return status == STORE_GONE ? STORE_OK : status;
}

/* A statement of which ?1 is a destination and ?2 a time. */
static sqlite3_stmt *
prepare_at(struct store *store, const char *sql, int64_t id, int64_t at_ms)
{
	sqlite3_stmt *statement = sql_prepare(store, sql);

	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, at_ms);
	return statement;
}

/* clang-format off */
static const char add_up_sql[] =
    "UPDATE destinations SET held_total_ms = " SQL_HELD_AT("?2") ", "
    "held_since_ms = NULL WHERE id = ?1";
/* clang-format on */

static enum store_status
add_up(struct store *store, int64_t id, int64_t now_ms)
{
	return sql_run(store, prepare_at(store, add_up_sql, id, now_ms));
}

/* Makes the change that `statement` is, if `status` is STORE_OK, and ends the
 * transaction. */
static enum store_status
finish(struct store *store, enum store_status status, sqlite3_stmt *statement,
    int64_t id, int64_t now_ms)
{
	if (status == STORE_OK)
		status = sql_run(store, statement);
	if (status == STORE_OK)
		status = sql_run(
		    store, prepare_at(store,
			       "UPDATE destinations SET held_since_ms = ?2 "
			       "WHERE id = ?1 AND (paused_at_ms IS NOT NULL "
			       "OR hold_until_ms > ?2)",
			       id, now_ms));
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}

/* STORE_REFUSED, with `why`, if it is paused. */
static enum store_status
check_unpaused(struct store *store, const char *name, int64_t id)
{
	enum store_status status;
	char *by, *reason;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT paused_by, pause_reason FROM destinations "
	    "WHERE id = ?1 AND paused_at_ms IS NOT NULL");

	sqlite3_bind_int64(statement, 1, id);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status == STORE_GONE ? STORE_OK : status;
	by = sql_text_dup(statement, 0);
	reason = sql_text_dup(statement, 1);
	sqlite3_reset(statement);
	status = store_say(store, STORE_REFUSED,
	    "%s is paused already%s%s (%s): this and its time stay", name,
	    by != NULL ? ", by " : "", by != NULL ? by : "",
	    reason != NULL ? reason : "without a reason");
	free(reason);
	free(by);
	return status;
}

/* STORE_REFUSED, with `why`, if nothing keeps it back. */
static enum store_status
check_kept_back(
    struct store *store, const char *name, int64_t id, int64_t now_ms)
{
	sqlite3_stmt *statement = prepare_at(store,
	    "SELECT 1 FROM destinations WHERE id = ?1 "
	    "AND paused_at_ms IS NULL AND down_since_ms IS NULL "
	    "AND coalesce(hold_until_ms, 0) <= ?2",
	    id, now_ms);
	enum store_status status = sql_next(store, statement);

	if (status != STORE_OK)
		return status == STORE_GONE ? STORE_OK : status;
	sqlite3_reset(statement);
	return store_say(store, STORE_REFUSED,
	    "%s is not paused, held or down: there is nothing to resume", name);
}

enum store_status
store_pause(
    struct store *store, const char *name, const char *by, const char *reason)
{
	int64_t id = 0, now_ms = store_now_ms(store);
	enum store_status status = store_begin(store, store_deadline(store));
	sqlite3_stmt *statement;

	assert(reason != NULL);
	if (status != STORE_OK)
		return status;
	status = find_destination(store, name, &id);
	if (status == STORE_OK)
		status = check_unpaused(store, name, id);
	if (status == STORE_OK)
		status = add_up(store, id, now_ms);
	statement = prepare_at(store,
	    "UPDATE destinations SET paused_at_ms = ?2, paused_by = ?3, "
	    "pause_reason = ?4 WHERE id = ?1",
	    id, clock_wall_ms());
	sql_bind_text(statement, 3, by);
	sql_bind_text(statement, 4, reason);
	return finish(store, status, statement, id, now_ms);
}

enum store_status
store_resume(struct store *store, const char *name)
{
	int64_t id = 0, now_ms = store_now_ms(store);
	enum store_status status = store_begin(store, store_deadline(store));
	sqlite3_stmt *statement;

	if (status != STORE_OK)
		return status;
	status = find_destination(store, name, &id);
	if (status == STORE_OK)
		status = check_kept_back(store, name, id, now_ms);
	if (status == STORE_OK)
		status = add_up(store, id, now_ms);
	statement = sql_prepare(store,
	    "UPDATE destinations SET paused_at_ms = NULL, paused_by = NULL, "
	    "pause_reason = NULL, hold_until_ms = NULL, retry_asked = ?2, "
	    "retry_number = retry_number + 1 "
	    "WHERE id = ?1");
	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int(statement, 2, RETRY_ALL);
	return finish(store, status, statement, id, now_ms);
}

enum store_status
store_end_retry(struct store *store, int64_t destination, int64_t retry_number)
{
	enum store_status status = store_begin(store, store_deadline(store));
	sqlite3_stmt *statement;

	if (status != STORE_OK)
		return status;
	statement =
	    sql_prepare(store, "UPDATE destinations SET retry_asked = 0 "
			       "WHERE id = ?1 AND retry_number = ?2");
	sqlite3_bind_int64(statement, 1, destination);
	sqlite3_bind_int64(statement, 2, retry_number);
	status = sql_run(store, statement);
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}

enum store_status
hold_ask_probes(struct store *store, const int64_t *destinations, size_t count)
{
	enum store_status status = store_begin(store, store_deadline(store));
	size_t i;

	if (status != STORE_OK)
		return status;
	for (i = 0; i < count && status == STORE_OK; i++) {
		sqlite3_stmt *statement = sql_prepare(store,
		    "UPDATE destinations SET "
		    "retry_asked = max(retry_asked, ?2), "
		    "retry_number = retry_number + 1 WHERE id = ?1");

		sqlite3_bind_int64(statement, 1, destinations[i]);
		sqlite3_bind_int(statement, 2, RETRY_PROBE);
		status = sql_run(store, statement);
	}
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}

/* A hold that ends later stays, unless no one can have asked for it. */
enum store_status
store_hold(struct store *store, int64_t destination, int64_t until_ms)
{
	int64_t now_ms = store_now_ms(store);
	enum store_status status = store_begin(store, store_deadline(store));
	sqlite3_stmt *statement;

	if (status != STORE_OK)
		return status;
	if (until_ms > now_ms + HOLD_MAX_MS)
		until_ms = now_ms + HOLD_MAX_MS;
	status = add_up(store, destination, now_ms);
	statement = prepare_at(store,
	    "UPDATE destinations SET hold_until_ms = ?2 WHERE id = ?1 "
	    "AND (hold_until_ms IS NULL "
	    "OR hold_until_ms NOT BETWEEN ?2 AND ?3)",
	    destination, until_ms);
	sqlite3_bind_int64(statement, 3, now_ms + HOLD_MAX_MS);
	return finish(store, status, statement, destination, now_ms);
}

enum store_status
store_note_down(struct store *store, int64_t destination, int64_t since_ms,
    int64_t probe_at_ms)
{
	enum store_status status = store_begin(store, store_deadline(store));
	sqlite3_stmt *statement;

	if (status != STORE_OK)
		return status;
	statement = prepare_at(store,
	    "UPDATE destinations SET down_since_ms = nullif(?2, 0), "
	    "probe_at_ms = nullif(?3, 0) WHERE id = ?1",
	    destination, since_ms);
	sqlite3_bind_int64(statement, 3, probe_at_ms);
	status = sql_run(store, statement);
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}

/* ---- looking ---- */

enum store_status
store_read_destination_states(
    struct store *store, struct destination_state **states, size_t *count)
{
	int64_t now_ms = store_now_ms(store);
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT id, paused_at_ms IS NOT NULL, pause_reason, hold_until_ms, "
	    "pending, name, down_since_ms, retry_asked, retry_number "
	    "FROM destinations WHERE is_configured ORDER BY id");

	*states = NULL;
	*count = 0;
	while ((status = sql_next(store, statement)) == STORE_OK) {
		struct destination_state *state;

		*states = xreallocarray(*states, *count + 1, sizeof **states);
		state = &(*states)[(*count)++];
		state->id = sqlite3_column_int64(statement, 0);
		state->is_paused = sqlite3_column_int(statement, 1) != 0;
		state->pause_reason = sql_text_dup(statement, 2);
		state->hold_until_ms =
		    hold_until(sqlite3_column_int64(statement, 3), now_ms);
		state->pending = sqlite3_column_int64(statement, 4);
		state->name = sql_text_dup(statement, 5);
		state->down_since_ms = sqlite3_column_int64(statement, 6);
		state->retry = (enum retry)sqlite3_column_int(statement, 7);
		state->retry_number = sqlite3_column_int64(statement, 8);
	}
	if (status == STORE_GONE)
		return STORE_OK;
	store_free_states(*states, *count);
	*states = NULL;
	*count = 0;
	return status;
}

void
store_free_states(struct destination_state *states, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(states[i].name);
		free(states[i].pause_reason);
	}
	free(states);
}
