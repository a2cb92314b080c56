/*
 * The arrows of an operator, for one delivery each: replay (a settled one is
 * pending again, or one is made) and drop (one is given up). change.c chooses
 * the deliveries.
 */
#include "config.h"

#include "spool/store_internal.h"

#include "base/clock.h"
#include "spool/tx.h"

static void
forget_settled(struct tx *tx, int64_t seq)
{
	tx_run(tx, "DELETE FROM settled WHERE seq = ?1", seq);
}

bool
replay_delivery(struct tx *tx, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms)
{
	if (!lane_revive(tx, seq, destination, state, now_ms))
		return false;
	forget_settled(tx, seq);
	return true;
}

void
replay_count_wanted(struct tx *tx, int64_t seq)
{
	tx_run(tx,
	    "UPDATE progress SET unwanted_events = unwanted_events - 1 "
	    "WHERE EXISTS (SELECT 1 FROM settled "
	    "WHERE seq = ?1 AND is_unwanted)",
	    seq);
}

bool
replay_make(struct tx *tx, int64_t seq, int64_t destination, int64_t now_ms)
{
	if (!lane_make(tx, seq, destination, now_ms, now_ms))
		return false;
	replay_count_wanted(tx, seq);
	forget_settled(tx, seq);
	return true;
}

bool
replay_hurry(struct tx *tx, int64_t seq, int64_t destination, int64_t now_ms)
{
	return tx_run(tx,
		   "UPDATE deliveries SET next_at_ms = ?3 WHERE seq = ?1 "
		   "AND destination = ?2 AND state = 0 AND next_at_ms > ?3",
		   seq, destination, now_ms) > 0;
}

/* Counts the delivery as dropped, no longer in its state. Must come before the
 * state is changed. False: it is not in `state`. */
static bool
count_dropped(
    struct tx *tx, int64_t seq, int64_t destination, enum delivery_state state)
{
	return tx_run(tx,
		   "UPDATE destinations SET pending = pending - (state = 0), "
		   "behind = behind - (state = 0 AND next_at_ms IS NULL), "
		   "dead = dead - (state = 2), dropped = dropped + 1 "
		   "FROM deliveries WHERE seq = ?1 AND destination = ?2 "
		   "AND state = ?3 AND destinations.id = destination",
		   seq, destination, state) > 0;
}

/* Changes the generation: an attempt under way settles nothing. */
static void
give_up(struct tx *tx, int64_t seq, int64_t destination)
{
	tx_run(tx,
	    "UPDATE deliveries SET state = 3, generation = generation + 1, "
	    "next_at_ms = NULL, settled_at_ms = ?3 "
	    "WHERE seq = ?1 AND destination = ?2",
	    seq, destination, clock_wall_ms());
}

bool
drop_delivery(struct tx *tx, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms)
{
	if (!count_dropped(tx, seq, destination, state))
		return false;
	give_up(tx, seq, destination);
	settle_note(tx, seq, now_ms);
	if (state == DELIVERY_PENDING)
		lane_pass(tx, seq, destination, now_ms);
	return true;
}
