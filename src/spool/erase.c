/*
 * Retention: erases what has outlived its time, a small step at a time, so
 * that the lock is never held for long. Finds events by the table `settled`:
 * looking costs nothing where nothing is due. Never erases an event that is
 * new or that has a delivery pending or orphaned.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"
#include "spool/tx.h"

#define FULL_PERCENT      90 /* of max_size, and room is made */
#define STEP_MAX_EVENTS   50
#define STEP_MAX_BYTES    (1 << 20) /* of bodies, but at least one event */
#define STEP_MAX_REFUSALS 20
#define AHEAD_MAX_MS      60000 /* a refusal's clock may be before ours */

/* Events settled, or bodies refused, at these times or earlier may go. */
struct cutoff {
	int64_t settled_ms; /* events that are delivered or dropped */
	int64_t dead_ms;    /* events with a dead delivery */
	int64_t refused_ms;
	int64_t ahead_ms; /* of the wall clock */
	int64_t stepped_at_ms;
	int64_t latest_ms; /* at which a body may have been refused */
};

static int64_t
cutoff_after(int64_t now_ms, int64_t retain_ms)
{
	return retain_ms > 0 ? now_ms - retain_ms : INT64_MIN;
}

/* If the spool is nearly full, every delivered event may go, to make room. The
 * log does not count here: where a reader keeps it long, erasing makes it
 * longer. */
static enum store_status
read_cutoff(struct store *store, const struct retention *retention,
    struct cutoff *cutoff)
{
	int64_t max_bytes = store->max_size_bytes, bytes = 0, wal_bytes = 0;
	int64_t now_ms = retention->now_ms;
	enum store_status status = STORE_OK;

	cutoff->settled_ms = cutoff_after(now_ms, retention->retain_ms);
	cutoff->dead_ms = cutoff_after(now_ms, retention->retain_dead_ms);
	cutoff->refused_ms = cutoff_after(now_ms, retention->retain_refused_ms);
	cutoff->ahead_ms = now_ms - clock_wall_ms();
	cutoff->stepped_at_ms = store->stepped_at_ms;
	cutoff->latest_ms = now_ms + AHEAD_MAX_MS;
	if (max_bytes > 0)
		status = store_read_size(store, &bytes, &wal_bytes);
	if (bytes - wal_bytes > max_bytes / 100 * FULL_PERCENT)
		cutoff->settled_ms = INT64_MAX;
	return status;
}

/* ---- events ---- */

/* Finds the event that was settled first, by `by_ms`, with a dead delivery or
 * without one. */
static bool
find_settled(struct tx *tx, bool has_dead, int64_t by_ms, int64_t *seq)
{
	return tx_get(tx,
	    "SELECT seq FROM settled WHERE has_dead = ?1 AND at_ms <= ?2 "
	    "ORDER BY at_ms, seq LIMIT 1",
	    has_dead, by_ms, seq);
}

static bool
find_event(struct tx *tx, const struct cutoff *cutoff, int64_t *seq)
{
	return find_settled(tx, false, cutoff->settled_ms, seq) ||
	       find_settled(tx, true, cutoff->dead_ms, seq);
}

/* Uncounts the deliveries of an event, and removes them. */
static void
erase_deliveries(struct tx *tx, int64_t seq)
{
	tx_run(tx,
	    "UPDATE destinations SET delivered = delivered - (state = 1), "
	    "dead = dead - (state = 2), dropped = dropped - (state = 3) "
	    "FROM deliveries "
	    "WHERE seq = ?1 AND destinations.id = deliveries.destination",
	    seq);
	tx_run(tx, "DELETE FROM attempts WHERE seq = ?1", seq);
	tx_run(tx, "DELETE FROM deliveries WHERE seq = ?1", seq);
}

bool
erase_event(struct tx *tx, int64_t seq, int64_t *body_bytes)
{
	bool is_pending = false;

	if (!tx_get(tx,
		"SELECT length(body), EXISTS (SELECT 1 FROM deliveries "
		"WHERE deliveries.seq = ?1 AND state = 0) "
		"FROM events WHERE seq = ?1",
		seq, body_bytes, &is_pending))
		return false;
	assert(!is_pending);
	tx_run(tx,
	    "UPDATE events SET body = zeroblob(length(body)) WHERE seq = ?1",
	    seq);
	erase_deliveries(tx, seq);
	replay_count_wanted(tx, seq);
	tx_run(tx, "DELETE FROM settled WHERE seq = ?1", seq);
	tx_run(tx, "DELETE FROM events WHERE seq = ?1", seq);
	tx_run(tx,
	    "UPDATE progress SET erased_events = erased_events + 1, "
	    "erased_new = erased_new + (?1 > routed_seq)",
	    seq);
	return true;
}

/* Erases the events due first, as many as one step may. False: no more are
 * due. */
static bool
erase_events(struct tx *tx, const struct cutoff *cutoff, int64_t *erased)
{
	int64_t bytes = 0, body_bytes = 0, seq = 0;
	int i;

	for (i = 0; i < STEP_MAX_EVENTS && bytes < STEP_MAX_BYTES; i++) {
		if (!find_event(tx, cutoff, &seq) ||
		    !erase_event(tx, seq, &body_bytes))
			return false;
		bytes += body_bytes;
		++*erased;
	}
	return true;
}

/* ---- refused bodies: few, and so found without an index ---- */

/* Whether a body was refused at ?1 or earlier. A time ahead of now is from
 * before the clock was set. */
#define REFUSED_BY                                                             \
	"iif(received_at_ms + ?2 > ?4, ?3, " SQL_CAPTURED_AT(                  \
	    "?2", "?3") ") "                                                   \
			"<= ?1 "

static bool
find_refusal(struct tx *tx, const struct cutoff *cutoff)
{
	return tx_get(tx, "SELECT 1 FROM refusals WHERE " REFUSED_BY "LIMIT 1",
	    cutoff->refused_ms, cutoff->ahead_ms, cutoff->stepped_at_ms,
	    cutoff->latest_ms);
}

static void
erase_refusals(struct tx *tx, const struct cutoff *cutoff, int64_t *erased)
{
	tx_run(tx,
	    "UPDATE refusals SET body = zeroblob(length(body)) WHERE seq IN "
	    "(SELECT seq FROM refusals WHERE " REFUSED_BY
	    "ORDER BY seq LIMIT ?5)",
	    cutoff->refused_ms, cutoff->ahead_ms, cutoff->stepped_at_ms,
	    cutoff->latest_ms, STEP_MAX_REFUSALS);
	*erased += tx_run(tx,
	    "DELETE FROM refusals WHERE seq IN "
	    "(SELECT seq FROM refusals WHERE " REFUSED_BY
	    "ORDER BY seq LIMIT ?5)",
	    cutoff->refused_ms, cutoff->ahead_ms, cutoff->stepped_at_ms,
	    cutoff->latest_ms, STEP_MAX_REFUSALS);
}

void
erase_refusal(struct tx *tx, int64_t seq)
{
	tx_run(tx,
	    "UPDATE refusals SET body = zeroblob(length(body)) WHERE seq = ?1",
	    seq);
	tx_run(tx, "DELETE FROM refusals WHERE seq = ?1", seq);
}

/* ---- a step ---- */

/* Sets whether anything is to be erased. Takes no lock. */
static enum store_status
look(struct store *store, const struct retention *retention,
    struct cutoff *cutoff, bool *is_any)
{
	int64_t seq = 0;
	struct tx tx = tx_none(store);

	tx_fail(&tx, read_cutoff(store, retention, cutoff));
	*is_any = find_event(&tx, cutoff, &seq) || find_refusal(&tx, cutoff);
	return tx_end(&tx);
}

static enum store_status
erase_step(struct store *store, const struct cutoff *cutoff, int64_t *erased)
{
	struct tx tx = tx_begin(store);

	if (!erase_events(&tx, cutoff, erased))
		erase_refusals(&tx, cutoff, erased);
	return tx_end(&tx);
}

enum store_status
store_erase_old(struct store *store, const struct retention *retention,
    int64_t *erased, bool *is_more)
{
	struct cutoff cutoff;
	enum store_status status = look(store, retention, &cutoff, is_more);

	*erased = 0;
	if (status != STORE_OK || !*is_more)
		return status;
	*is_more = false;
	status = erase_step(store, &cutoff, erased);
	if (status == STORE_OK)
		return look(store, retention, &cutoff, is_more);
	*erased = 0;
	return status;
}

/* ---- for the relay: deliveries under way of events that were erased ---- */

enum store_status
store_read_erased(struct store *store, int64_t *erased_events, bool *is_seen)
{
	struct tx tx = tx_none(store);

	if (!tx_get(&tx,
		"SELECT erased_events, seen_erased >= erased_events "
		"FROM progress",
		erased_events, is_seen))
		tx_fail(&tx, STORE_GONE);
	return tx_end(&tx);
}

enum store_status
store_note_seen(struct store *store, int64_t erased_events)
{
	struct tx tx = tx_begin(store);

	tx_run(&tx, "UPDATE progress SET seen_erased = ?1", erased_events);
	return tx_end(&tx);
}

enum store_status
store_has_event(struct store *store, int64_t seq, bool *is_there)
{
	struct tx tx = tx_none(store);

	*is_there = tx_get(&tx, "SELECT 1 FROM events WHERE seq = ?1", seq);
	return tx_end(&tx);
}
