/*
 * Lanes: the deliveries of one destination and one ticket, or one conversation
 * where there is no ticket, go one after the other by seq. A delivery that
 * waits for an earlier one of its lane is behind: pending without next_at_ms.
 *
 * Ensures: the first pending delivery of a lane is never behind. So a delivery
 * becomes pending by lane_make or lane_revive alone, and lane_pass is called in
 * the transaction in which one ceases to be pending.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"
#include "spool/tx.h"

#define RELEASE_MAX_COUNT 500 /* deliveries in one transaction */

/* The lane of a row of `events`; NULL: none. */
#define LANE_OF_EVENT                                                          \
	"CASE WHEN ticket_id IS NOT NULL THEN coalesce(community, '') "        \
	"|| char(31) || 't' || char(31) || ticket_id "                         \
	"WHEN conversation_id IS NOT NULL THEN coalesce(community, '') "       \
	"|| char(31) || 'c' || char(31) || conversation_id END"

/* Whether the delivery (?1, ?2) with this lane is behind another. */
#define IS_BEHIND(lane)                                                        \
	"EXISTS (SELECT 1 FROM deliveries AS earlier "                         \
	"WHERE earlier.destination = ?2 AND earlier.lane = " lane " "          \
	"AND earlier.state = 0 AND earlier.seq < ?1) "                         \
	"AND (SELECT is_ordered FROM destinations WHERE id = ?2)"

/* clang-format off */
static const char make_sql[] =
    "INSERT INTO deliveries (seq, destination, state, lane, next_at_ms) "
    "SELECT seq, ?2, 0, lane, "
    "iif(" IS_BEHIND("made.lane") ", NULL, "
    "min(max(" SQL_CAPTURED_AT("?5", "?6") ", ?3), ?4)) "
    "FROM (SELECT seq, received_at_ms, " LANE_OF_EVENT " AS lane "
    "FROM events WHERE seq = ?1) AS made WHERE true ON CONFLICT DO NOTHING";

static const char revive_sql[] =
    "UPDATE deliveries SET state = 0, generation = generation + 1, "
    "attempts_before = attempts, first_attempt_ms = NULL, "
    "first_held_ms = NULL, settled_at_ms = NULL, "
    "next_at_ms = iif(" IS_BEHIND("deliveries.lane") ", NULL, ?4) "
    "WHERE seq = ?1 AND destination = ?2 AND state = ?3";
/* clang-format on */

/* Counts a delivery that has become pending and was in state `before`;
 * DELIVERY_PENDING: was not there. */
static void
count_pending(
    struct tx *tx, int64_t seq, int64_t destination, enum delivery_state before)
{
	int64_t changed = tx_run(tx,
	    "UPDATE destinations SET pending = pending + 1, behind = behind + "
	    "(SELECT next_at_ms IS NULL FROM deliveries "
	    "WHERE seq = ?1 AND destination = ?2), "
	    "delivered = delivered - (?3 = 1), dead = dead - (?3 = 2), "
	    "dropped = dropped - (?3 = 3) WHERE id = ?2",
	    seq, destination, before);

	assert(changed == 1 || !tx_is_ok(tx));
}

bool
lane_make(struct tx *tx, int64_t seq, int64_t destination, int64_t from_ms,
    int64_t now_ms)
{
	if (tx_run(tx, make_sql, seq, destination, from_ms, now_ms,
		now_ms - clock_wall_ms(), tx->store->stepped_at_ms) == 0)
		return false;
	count_pending(tx, seq, destination, DELIVERY_PENDING);
	return true;
}

bool
lane_revive(struct tx *tx, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms)
{
	assert(state != DELIVERY_PENDING && state != DELIVERY_ORPHANED);
	if (tx_run(tx, revive_sql, seq, destination, state, now_ms) == 0)
		return false;
	count_pending(tx, seq, destination, state);
	return true;
}

static void
count_released(struct tx *tx, int64_t destination, int64_t count)
{
	if (count > 0)
		tx_run(tx,
		    "UPDATE destinations SET behind = behind - ?2 "
		    "WHERE id = ?1",
		    destination, count);
}

/* Makes the next one due now, not since its capture: so lanes take turns, and a
 * lane's long backlog does not go before everything that is new. */
void
lane_pass(struct tx *tx, int64_t seq, int64_t destination, int64_t now_ms)
{
	int64_t released = tx_run(tx,
	    "UPDATE deliveries SET next_at_ms = ?3 WHERE destination = ?2 "
	    "AND seq = (SELECT next.seq FROM deliveries AS next "
	    "WHERE next.destination = ?2 AND next.state = 0 AND next.lane = "
	    "(SELECT lane FROM deliveries WHERE seq = ?1 AND destination = ?2) "
	    "ORDER BY next.seq LIMIT 1) AND next_at_ms IS NULL",
	    seq, destination, now_ms);

	count_released(tx, destination, released);
}

/* ---- many at once ---- */

/* Finds a destination without order that still has deliveries behind. */
static bool
find_unordered(struct tx *tx, int64_t *destination)
{
	return tx_get(tx,
	    "SELECT id FROM destinations WHERE behind > 0 AND NOT is_ordered",
	    destination);
}

static enum store_status
release_some(struct store *store, int64_t destination)
{
	struct tx tx = tx_begin(store);
	int64_t released = tx_run(&tx,
	    "UPDATE deliveries SET next_at_ms = ?2 WHERE destination = ?1 "
	    "AND seq IN (SELECT seq FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND next_at_ms IS NULL ORDER BY seq LIMIT ?3)",
	    destination, store_now_ms(store), RELEASE_MAX_COUNT);

	count_released(&tx, destination, released);
	return tx_end(&tx);
}

enum store_status
store_release_behind(struct store *store, bool *is_more)
{
	int64_t destination = 0;
	struct tx look = tx_none(store);

	*is_more = false;
	if (!find_unordered(&look, &destination))
		return tx_end(&look);
	tx_fail(&look, release_some(store, destination));
	*is_more = find_unordered(&look, &destination);
	return tx_end(&look);
}
