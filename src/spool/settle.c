/*
 * Settling: the arrows pending -> pending, delivered, dead. A settlement says
 * which generation of the delivery it started from and does nothing where that
 * has changed, so that no claim has to be stored or cleaned up. Knows no
 * back-off: the relay says when to try again.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"

#define ATTEMPTS_MAX_COUNT 20 /* of a delivery that are kept */

/* What the numbers in SQL mean, here and in schema.c. */
_Static_assert(DELIVERY_PENDING == 0 && DELIVERY_DELIVERED == 1 &&
		   DELIVERY_DEAD == 2 && DELIVERY_DROPPED == 3,
    "the states are stored as these numbers");
_Static_assert(OUTCOME_RETRY == 0 && OUTCOME_DELIVERED == 1 &&
		   OUTCOME_DEAD == 2 && OUTCOME_ABANDONED == 3,
    "the outcomes are stored as these numbers");

static enum delivery_state
state_after(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_RETRY:
	case OUTCOME_ABANDONED:
		return DELIVERY_PENDING;
	case OUTCOME_DELIVERED:
		return DELIVERY_DELIVERED;
	case OUTCOME_DEAD:
		return DELIVERY_DEAD;
	}
	assert(!"an outcome");
	return DELIVERY_PENDING;
}

/* Looks whether the delivery is still as it was claimed: STORE_GONE if not.
 * Gives the number of attempts made so far. */
static enum store_status
read_claimed(
    struct store *store, const struct settlement *settlement, int *attempts)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT attempts FROM deliveries WHERE seq = ?1 "
	    "AND destination = ?2 AND state = 0 AND generation = ?3");

	sqlite3_bind_int64(statement, 1, settlement->seq);
	sqlite3_bind_int64(statement, 2, settlement->destination);
	sqlite3_bind_int64(statement, 3, settlement->generation);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*attempts = sqlite3_column_int(statement, 0);
	sqlite3_reset(statement);
	return STORE_OK;
}

/* Whoever looks at the destination sees why, if there is a reason. */
static enum store_status
abandon(struct store *store, const struct settlement *settlement)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE deliveries SET generation = generation + 1 "
	    "WHERE seq = ?1 AND destination = ?2");

	enum store_status status;

	sqlite3_bind_int64(statement, 1, settlement->seq);
	sqlite3_bind_int64(statement, 2, settlement->destination);
	status = sql_run(store, statement);
	if (status != STORE_OK || settlement->error == NULL)
		return status;
	statement = sql_prepare(store,
	    "UPDATE destinations SET last_status = NULL, last_error = ?2 "
	    "WHERE id = ?1");
	sqlite3_bind_int64(statement, 1, settlement->destination);
	sql_bind_text(statement, 2, settlement->error);
	return sql_run(store, statement);
}

static void
bind_status(sqlite3_stmt *statement, int index, int status)
{
	if (status == 0)
		sqlite3_bind_null(statement, index);
	else
		sqlite3_bind_int(statement, index, status);
}

/* clang-format off */
static const char update_sql[] =
    "UPDATE deliveries SET state = ?3, generation = generation + 1, "
    "attempts = ?4, first_attempt_ms = coalesce(first_attempt_ms, ?5), "
    "first_held_ms = coalesce(first_held_ms, "
    "(SELECT " SQL_HELD_AT("?11") " FROM destinations WHERE id = ?2)), "
    "next_at_ms = ?6, last_outcome = ?7, last_status = ?8, "
    "last_error = ?9, settled_at_ms = ?10, failed_at_ms = nullif(?12, 0), "
    "asked_until_ms = nullif(?13, 0) "
    "WHERE seq = ?1 AND destination = ?2";
/* clang-format on */

static enum store_status
update_delivery(struct store *store, const struct settlement *settlement,
    int attempts, int64_t now_ms)
{
	enum delivery_state state = state_after(settlement->outcome);
	sqlite3_stmt *statement = sql_prepare(store, update_sql);

	sqlite3_bind_int64(statement, 1, settlement->seq);
	sqlite3_bind_int64(statement, 2, settlement->destination);
	sqlite3_bind_int(statement, 3, (int)state);
	sqlite3_bind_int(statement, 4, attempts);
	sqlite3_bind_int64(statement, 5, settlement->begun_at_ms);
	if (state == DELIVERY_PENDING) {
		sqlite3_bind_int64(statement, 6, settlement->next_at_ms);
		sqlite3_bind_int64(statement, 12, settlement->failed_at_ms);
		sqlite3_bind_int64(statement, 13, settlement->asked_until_ms);
	} else {
		sqlite3_bind_int64(statement, 10, clock_wall_ms());
	}
	sqlite3_bind_int(statement, 7, (int)settlement->outcome);
	bind_status(statement, 8, settlement->status);
	sql_bind_text(statement, 9, settlement->error);
	sqlite3_bind_int64(statement, 11, now_ms);
	return sql_run(store, statement);
}

static enum store_status
add_attempt(
    struct store *store, const struct settlement *settlement, int number)
{
	size_t answer_bytes = settlement->answer_bytes;
	sqlite3_stmt *statement = sql_prepare(store,
	    "INSERT INTO attempts (seq, destination, number, started_at_ms, "
	    "duration_ms, outcome, status, error, answer) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");

	if (answer_bytes > ANSWER_MAX_BYTES)
		answer_bytes = ANSWER_MAX_BYTES;
	sqlite3_bind_int64(statement, 1, settlement->seq);
	sqlite3_bind_int64(statement, 2, settlement->destination);
	sqlite3_bind_int(statement, 3, number);
	sqlite3_bind_int64(statement, 4, settlement->started_at_ms);
	sqlite3_bind_int64(statement, 5, settlement->duration_ms);
	sqlite3_bind_int(statement, 6, (int)settlement->outcome);
	bind_status(statement, 7, settlement->status);
	sql_bind_text(statement, 8, settlement->error);
	sql_bind_blob(statement, 9, settlement->answer, answer_bytes);
	return sql_run(store, statement);
}

/* Keeps the newest ATTEMPTS_MAX_COUNT up to `number`. */
static enum store_status
trim_attempts(
    struct store *store, const struct settlement *settlement, int number)
{
	sqlite3_stmt *statement;

	if (number <= ATTEMPTS_MAX_COUNT)
		return STORE_OK;
	statement = sql_prepare(store,
	    "DELETE FROM attempts WHERE seq = ?1 AND destination = ?2 "
	    "AND number <= ?3");
	sqlite3_bind_int64(statement, 1, settlement->seq);
	sqlite3_bind_int64(statement, 2, settlement->destination);
	sqlite3_bind_int(statement, 3, number - ATTEMPTS_MAX_COUNT);
	return sql_run(store, statement);
}

static enum store_status
count_attempt(struct store *store, const struct settlement *settlement)
{
	enum delivery_state state = state_after(settlement->outcome);
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE destinations SET pending = pending - (?2 <> 0), "
	    "delivered = delivered + (?2 = 1), dead = dead + (?2 = 2), "
	    "last_attempt_ms = ?3, "
	    "last_delivered_ms = coalesce(?4, last_delivered_ms), "
	    "last_status = ?5, last_error = ?6, last_seq = ?7 WHERE id = ?1");

	sqlite3_bind_int64(statement, 1, settlement->destination);
	sqlite3_bind_int(statement, 2, (int)state);
	sqlite3_bind_int64(statement, 3, settlement->started_at_ms);
	if (state == DELIVERY_DELIVERED)
		sqlite3_bind_int64(statement, 4, clock_wall_ms());
	bind_status(statement, 5, settlement->status);
	sql_bind_text(statement, 6, settlement->error);
	sqlite3_bind_int64(statement, 7, settlement->seq);
	return sql_run(store, statement);
}

enum store_status
settle_note(struct store *store, int64_t seq, int64_t now_ms)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "INSERT OR REPLACE INTO settled (seq, has_dead, at_ms) "
	    "SELECT seq, max(state = 2), ?2 FROM deliveries WHERE seq = ?1 "
	    "GROUP BY seq HAVING max(state = 0) = 0");

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, now_ms);
	return sql_run(store, statement);
}

static enum store_status
end_pending(
    struct store *store, const struct settlement *settlement, int64_t now_ms)
{
	enum store_status status = settle_note(store, settlement->seq, now_ms);

	if (status == STORE_OK)
		status = lane_pass(
		    store, settlement->seq, settlement->destination, now_ms);
	return status;
}

static enum store_status
record_attempt(struct store *store, const struct settlement *settlement,
    int number, int64_t now_ms)
{
	enum store_status status =
	    update_delivery(store, settlement, number, now_ms);

	if (status == STORE_OK)
		status = add_attempt(store, settlement, number);
	if (status == STORE_OK)
		status = trim_attempts(store, settlement, number);
	if (status == STORE_OK)
		status = count_attempt(store, settlement);
	if (status == STORE_OK &&
	    state_after(settlement->outcome) != DELIVERY_PENDING)
		status = end_pending(store, settlement, now_ms);
	return status;
}

static enum store_status
settle_one(struct store *store, struct settlement *settlement, int64_t now_ms)
{
	int attempts = 0;
	enum store_status status = read_claimed(store, settlement, &attempts);

	if (status == STORE_GONE)
		return STORE_OK;
	if (status != STORE_OK)
		return status;
	settlement->is_applied = true;
	if (settlement->outcome == OUTCOME_ABANDONED)
		return abandon(store, settlement);
	return record_attempt(store, settlement, attempts + 1, now_ms);
}

static void
clear_applied(struct settlement *batch, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		batch[i].is_applied = false;
}

enum store_status
store_settle(struct store *store, struct settlement *batch, size_t count)
{
	enum store_status status;
	int64_t now_ms = store_now_ms(store);
	size_t i;

	clear_applied(batch, count);
	if (count == 0)
		return STORE_OK;
	status = store_begin(store, store_deadline(store));
	if (status != STORE_OK)
		return status;
	for (i = 0; i < count && status == STORE_OK; i++)
		status = settle_one(store, &batch[i], now_ms);
	if (status == STORE_OK)
		status = store_commit(store);
	else
		store_rollback(store);
	if (status != STORE_OK)
		clear_applied(batch, count);
	return status;
}
