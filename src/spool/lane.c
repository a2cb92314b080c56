/*
 * Lanes: the deliveries of one destination that are of one ticket, or of one
 * conversation where there is no ticket, go one after the other by seq. One
 * that waits for an earlier one is behind: it is pending without next_at_ms.
 *
 * Ensures: the first pending delivery of a lane is never behind. So whoever
 * makes a delivery pending asks here whether it is behind, and whoever makes
 * it not pending any more calls lane_pass, in the same transaction.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"

#define RELEASE_MAX_COUNT 500 /* deliveries in one transaction */

/* The lane of a row of `events`; NULL: it is ordered with nothing. */
#define LANE_OF_EVENT                                                          \
	"CASE WHEN ticket_id IS NOT NULL THEN coalesce(community, '') "        \
	"|| char(31) || 't' || char(31) || ticket_id "                         \
	"WHEN conversation_id IS NOT NULL THEN coalesce(community, '') "       \
	"|| char(31) || 'c' || char(31) || conversation_id END"

/* Whether delivery (?1, ?2), whose lane is `lane`, is behind another. */
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

/* Counts a delivery that has become pending and was in state `before`, or,
 * DELIVERY_PENDING, was not there. */
static enum store_status
count_pending(struct store *store, int64_t seq, int64_t destination,
    enum delivery_state before)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE destinations SET pending = pending + 1, behind = behind + "
	    "(SELECT next_at_ms IS NULL FROM deliveries "
	    "WHERE seq = ?1 AND destination = ?2), "
	    "delivered = delivered - (?3 = 1), dead = dead - (?3 = 2), "
	    "dropped = dropped - (?3 = 3) WHERE id = ?2");

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	sqlite3_bind_int(statement, 3, (int)before);
	status = sql_run(store, statement);
	assert(status != STORE_OK || sqlite3_changes(store->db) == 1);
	return status;
}

enum store_status
lane_make(struct store *store, int64_t seq, int64_t destination,
    int64_t from_ms, int64_t now_ms)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store, make_sql);

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	sqlite3_bind_int64(statement, 3, from_ms);
	sqlite3_bind_int64(statement, 4, now_ms);
	sqlite3_bind_int64(statement, 5, now_ms - clock_wall_ms());
	sqlite3_bind_int64(statement, 6, store->stepped_at_ms);
	status = sql_run(store, statement);
	if (status != STORE_OK)
		return status;
	if (sqlite3_changes(store->db) == 0)
		return STORE_GONE;
	return count_pending(store, seq, destination, DELIVERY_PENDING);
}

enum store_status
lane_revive(struct store *store, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store, revive_sql);

	assert(state != DELIVERY_PENDING && state != DELIVERY_ORPHANED);
	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	sqlite3_bind_int(statement, 3, (int)state);
	sqlite3_bind_int64(statement, 4, now_ms);
	status = sql_run(store, statement);
	if (status != STORE_OK)
		return status;
	if (sqlite3_changes(store->db) == 0)
		return STORE_GONE;
	return count_pending(store, seq, destination, state);
}

static enum store_status
count_released(struct store *store, int64_t destination, int64_t count)
{
	sqlite3_stmt *statement;

	if (count == 0)
		return STORE_OK;
	statement = sql_prepare(store,
	    "UPDATE destinations SET behind = behind - ?2 WHERE id = ?1");
	sqlite3_bind_int64(statement, 1, destination);
	sqlite3_bind_int64(statement, 2, count);
	return sql_run(store, statement);
}

/* It is due now, not since its capture: so the lanes take turns, and a long
 * backlog of one does not go before all that is new. */
enum store_status
lane_pass(struct store *store, int64_t seq, int64_t destination, int64_t now_ms)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE deliveries SET next_at_ms = ?3 WHERE destination = ?2 "
	    "AND seq = (SELECT next.seq FROM deliveries AS next "
	    "WHERE next.destination = ?2 AND next.state = 0 AND next.lane = "
	    "(SELECT lane FROM deliveries WHERE seq = ?1 AND destination = ?2) "
	    "ORDER BY next.seq LIMIT 1) AND next_at_ms IS NULL");

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	sqlite3_bind_int64(statement, 3, now_ms);
	status = sql_run(store, statement);
	if (status != STORE_OK)
		return status;
	return count_released(store, destination, sqlite3_changes(store->db));
}

/* ---- many at once ---- */

/* A destination that is not ordered and of which some are behind. STORE_GONE:
 * there is none. */
static enum store_status
find_unordered(struct store *store, int64_t *destination)
{
	return sql_read_int64(store,
	    "SELECT id FROM destinations WHERE behind > 0 AND NOT is_ordered",
	    destination);
}

static enum store_status
release_some(struct store *store, int64_t destination)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE deliveries SET next_at_ms = ?2 WHERE destination = ?1 "
	    "AND seq IN (SELECT seq FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND next_at_ms IS NULL ORDER BY seq LIMIT ?3)");

	sqlite3_bind_int64(statement, 1, destination);
	sqlite3_bind_int64(statement, 2, store_now_ms(store));
	sqlite3_bind_int64(statement, 3, RELEASE_MAX_COUNT);
	status = sql_run(store, statement);
	if (status != STORE_OK)
		return status;
	return count_released(store, destination, sqlite3_changes(store->db));
}

enum store_status
store_release_behind(struct store *store, bool *is_more)
{
	int64_t destination = 0;
	enum store_status status = find_unordered(store, &destination);

	*is_more = false;
	if (status == STORE_GONE)
		return STORE_OK;
	if (status == STORE_OK)
		status = store_begin(store, store_deadline(store));
	if (status != STORE_OK)
		return status;
	status = release_some(store, destination);
	if (status != STORE_OK) {
		store_rollback(store);
		return status;
	}
	status = store_commit(store);
	if (status != STORE_OK)
		return status;
	status = find_unordered(store, &destination);
	*is_more = status == STORE_OK;
	return status == STORE_GONE ? STORE_OK : status;
}
