/*
 * The arrows of an operator, for one delivery each: replay (a settled one is
 * pending again, or one is made) and drop (one is given up). Which deliveries
 * is for change.c to say.
 */
#include "config.h"

#include "spool/store_internal.h"

#include "base/clock.h"

static enum store_status
forget_settled(struct store *store, int64_t seq)
{
	sqlite3_stmt *statement =
	    sql_prepare(store, "DELETE FROM settled WHERE seq = ?1");

	sqlite3_bind_int64(statement, 1, seq);
	return sql_run(store, statement);
}

enum store_status
replay_delivery(struct store *store, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms)
{
	enum store_status status =
	    lane_revive(store, seq, destination, state, now_ms);

	return status == STORE_OK ? forget_settled(store, seq) : status;
}

enum store_status
replay_count_wanted(struct store *store, int64_t seq)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE progress SET unwanted_events = unwanted_events - 1 "
	    "WHERE EXISTS (SELECT 1 FROM settled "
	    "WHERE seq = ?1 AND is_unwanted)");

	sqlite3_bind_int64(statement, 1, seq);
	return sql_run(store, statement);
}

enum store_status
replay_make(
    struct store *store, int64_t seq, int64_t destination, int64_t now_ms)
{
	enum store_status status =
	    lane_make(store, seq, destination, now_ms, now_ms);

	if (status == STORE_OK)
		status = replay_count_wanted(store, seq);
	return status == STORE_OK ? forget_settled(store, seq) : status;
}

enum store_status
replay_hurry(
    struct store *store, int64_t seq, int64_t destination, int64_t now_ms)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE deliveries SET next_at_ms = ?3 WHERE seq = ?1 "
	    "AND destination = ?2 AND state = 0 AND next_at_ms > ?3");

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	sqlite3_bind_int64(statement, 3, now_ms);
	status = sql_run(store, statement);
	if (status == STORE_OK && sqlite3_changes(store->db) == 0)
		return STORE_GONE;
	return status;
}

/* Takes it out of the counts of its state; it must not be changed yet. */
static enum store_status
count_dropped(struct store *store, int64_t seq, int64_t destination,
    enum delivery_state state)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE destinations SET pending = pending - (state = 0), "
	    "behind = behind - (state = 0 AND next_at_ms IS NULL), "
	    "dead = dead - (state = 2), dropped = dropped + 1 "
	    "FROM deliveries WHERE seq = ?1 AND destination = ?2 "
	    "AND state = ?3 AND destinations.id = destination");
	enum store_status status;

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	sqlite3_bind_int(statement, 3, (int)state);
	status = sql_run(store, statement);
	if (status == STORE_OK && sqlite3_changes(store->db) == 0)
		return STORE_GONE;
	return status;
}

/* Its generation changes: an attempt that is under way settles nothing. */
static enum store_status
give_up(struct store *store, int64_t seq, int64_t destination)
{
	sqlite3_stmt *statement = sql_prepare(store,
	    "UPDATE deliveries SET state = 3, generation = generation + 1, "
	    "next_at_ms = NULL, settled_at_ms = ?3 "
	    "WHERE seq = ?1 AND destination = ?2");

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	sqlite3_bind_int64(statement, 3, clock_wall_ms());
	return sql_run(store, statement);
}

enum store_status
drop_delivery(struct store *store, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms)
{
	enum store_status status =
	    count_dropped(store, seq, destination, state);

	if (status == STORE_OK)
		status = give_up(store, seq, destination);
	if (status == STORE_OK)
		status = settle_note(store, seq, now_ms);
	if (status == STORE_OK && state == DELIVERY_PENDING)
		status = lane_pass(store, seq, destination, now_ms);
	return status;
}
