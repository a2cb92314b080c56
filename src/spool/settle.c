/*
 * Settling: the arrows pending -> pending, delivered, dead. A settlement names
 * the generation of the delivery that its attempt began with, and does nothing
 * if the generation has changed: so no claim is stored or cleaned up. Knows no
 * back-off: the relay says when to try again.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"
#include "spool/tx.h"

#define ATTEMPTS_MAX_COUNT 20 /* kept of a delivery, the newest */

/* The numbers in SQL, here and in schema.c. */
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

/* False: the delivery is no longer as it was claimed. */
static bool
read_claimed(struct tx *tx, const struct settlement *settlement, int *attempts)
{
	return tx_get(tx,
	    "SELECT attempts FROM deliveries WHERE seq = ?1 "
	    "AND destination = ?2 AND state = 0 AND generation = ?3",
	    settlement->seq, settlement->destination, settlement->generation,
	    attempts);
}

/* Shows the reason, if there is one, with the destination. */
static void
abandon(struct tx *tx, const struct settlement *settlement)
{
	tx_run(tx,
	    "UPDATE deliveries SET generation = generation + 1 "
	    "WHERE seq = ?1 AND destination = ?2",
	    settlement->seq, settlement->destination);
	if (settlement->error != NULL)
		tx_run(tx,
		    "UPDATE destinations SET last_status = NULL, "
		    "last_error = ?2 WHERE id = ?1",
		    settlement->destination, settlement->error);
}

static struct sql_value
number_if(bool is_given, int64_t number)
{
	return is_given ? sql_int(number) : sql_null();
}

/* NULL: there was no answer. */
static struct sql_value
http_status(const struct settlement *settlement)
{
	return number_if(settlement->status != 0, settlement->status);
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

static void
update_delivery(struct tx *tx, const struct settlement *settlement,
    int attempts, int64_t now_ms)
{
	enum delivery_state state = state_after(settlement->outcome);
	bool is_pending = state == DELIVERY_PENDING;

	tx_run(tx, update_sql, settlement->seq, settlement->destination, state,
	    attempts, settlement->begun_at_ms,
	    number_if(is_pending, settlement->next_at_ms), settlement->outcome,
	    http_status(settlement), settlement->error,
	    number_if(!is_pending, clock_wall_ms()), now_ms,
	    number_if(is_pending, settlement->failed_at_ms),
	    number_if(is_pending, settlement->asked_until_ms));
}

static void
add_attempt(struct tx *tx, const struct settlement *settlement, int number)
{
	size_t answer_bytes = settlement->answer_bytes;

	if (answer_bytes > ANSWER_MAX_BYTES)
		answer_bytes = ANSWER_MAX_BYTES;
	tx_run(tx,
	    "INSERT INTO attempts (seq, destination, number, started_at_ms, "
	    "duration_ms, outcome, status, error, answer) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	    settlement->seq, settlement->destination, number,
	    settlement->started_at_ms, settlement->duration_ms,
	    settlement->outcome, http_status(settlement), settlement->error,
	    sql_blob(settlement->answer, answer_bytes));
	if (number > ATTEMPTS_MAX_COUNT)
		tx_run(tx,
		    "DELETE FROM attempts WHERE seq = ?1 AND destination = ?2 "
		    "AND number <= ?3",
		    settlement->seq, settlement->destination,
		    number - ATTEMPTS_MAX_COUNT);
}

static void
count_attempt(struct tx *tx, const struct settlement *settlement)
{
	enum delivery_state state = state_after(settlement->outcome);

	tx_run(tx,
	    "UPDATE destinations SET pending = pending - (?2 <> 0), "
	    "delivered = delivered + (?2 = 1), dead = dead + (?2 = 2), "
	    "last_attempt_ms = ?3, "
	    "last_delivered_ms = coalesce(?4, last_delivered_ms), "
	    "last_status = ?5, last_error = ?6, last_seq = ?7 WHERE id = ?1",
	    settlement->destination, state, settlement->started_at_ms,
	    number_if(state == DELIVERY_DELIVERED, clock_wall_ms()),
	    http_status(settlement), settlement->error, settlement->seq);
}

void
settle_note(struct tx *tx, int64_t seq, int64_t now_ms)
{
	tx_run(tx,
	    "INSERT OR REPLACE INTO settled (seq, has_dead, at_ms) "
	    "SELECT seq, max(state = 2), ?2 FROM deliveries WHERE seq = ?1 "
	    "GROUP BY seq HAVING max(state = 0) = 0",
	    seq, now_ms);
}

static void
record_attempt(struct tx *tx, const struct settlement *settlement, int number,
    int64_t now_ms)
{
	update_delivery(tx, settlement, number, now_ms);
	add_attempt(tx, settlement, number);
	count_attempt(tx, settlement);
	if (state_after(settlement->outcome) == DELIVERY_PENDING)
		return;
	settle_note(tx, settlement->seq, now_ms);
	lane_pass(tx, settlement->seq, settlement->destination, now_ms);
}

static void
settle_one(struct tx *tx, struct settlement *settlement, int64_t now_ms)
{
	int attempts = 0;

	if (!read_claimed(tx, settlement, &attempts))
		return;
	settlement->is_applied = true;
	if (settlement->outcome == OUTCOME_ABANDONED)
		abandon(tx, settlement);
	else
		record_attempt(tx, settlement, attempts + 1, now_ms);
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
	int64_t now_ms = store_now_ms(store);
	struct tx tx;
	size_t i;

	clear_applied(batch, count);
	if (count == 0)
		return STORE_OK;
	tx = tx_begin(store);
	for (i = 0; i < count; i++)
		settle_one(&tx, &batch[i], now_ms);
	if (tx_end(&tx) != STORE_OK)
		clear_applied(batch, count);
	return tx.status;
}
