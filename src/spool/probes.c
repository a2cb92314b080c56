/*
 * Chooses the delivery that probes a destination that is down. Each question
 * reads some of the first rows of an index, however long the backlog.
 */
#include "config.h"

#include "spool/store_internal.h"
#include "spool/tx.h"

#define LOOK_MAX_COUNT 1000 /* rows that may be passed over */

struct probing {
	int64_t destination;
	int64_t now_ms;
	const struct probe_choice *choice;
	int64_t seq;   /* out: of the chosen delivery */
	int64_t at_ms; /* out, find_waiting: if none was chosen, when one may
			  be */
};

/* Chooses a delivery. False: there is none of this kind. */
typedef bool (*find_function)(struct tx *tx, struct probing *probing);

/* ---- among the due ---- */

/* Takes, of at most LOOK_MAX_COUNT rows (seq, next_at_ms, attempts) of tx_ask,
 * the first that is due, was never tried and is not the last probe; else the
 * first that is due and not the last probe: a delivery that failed before may
 * have failed for a reason of its own. */
static bool
take_due(struct tx *tx, struct probing *probing)
{
	int64_t seq, next_at_ms;
	bool is_found = false;
	int attempts, looked_at = 0;

	probing->seq = 0;
	while (
	    !is_found && looked_at++ < LOOK_MAX_COUNT &&
	    tx_next(tx, &seq, sql_int_or(&next_at_ms, INT64_MAX), &attempts)) {
		if (next_at_ms > probing->now_ms ||
		    seq == probing->choice->last_seq)
			continue;
		is_found = attempts == 0;
		if (is_found || probing->seq == 0)
			probing->seq = seq;
	}
	tx_stop(tx);
	return tx_is_ok(tx) && probing->seq != 0;
}

/* `state <> 1` shows SQLite that the index deliveries_open will do. */
static bool
find_newest(struct tx *tx, struct probing *probing)
{
	tx_ask(tx,
	    "SELECT seq, next_at_ms, attempts FROM deliveries "
	    "WHERE destination = ?1 "
	    "AND state = 0 AND state <> 1 ORDER BY seq DESC",
	    probing->destination);
	return take_due(tx, probing);
}

/* Chooses a seq between the first pending delivery and the last. */
static int64_t
choose_seq(struct tx *tx, const struct probing *probing)
{
	int64_t first = 0, last = 0;

	tx_get(tx,
	    "SELECT (SELECT seq FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND state <> 1 ORDER BY seq LIMIT 1), "
	    "(SELECT seq FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND state <> 1 ORDER BY seq DESC LIMIT 1)",
	    probing->destination, &first, &last);
	return first +
	       (int64_t)((double)(last - first + 1) *
			 (double)probing->choice->random / 4294967296.0);
}

static bool
find_other(struct tx *tx, struct probing *probing)
{
	int64_t from_seq = choose_seq(tx, probing);

	tx_ask(tx,
	    "SELECT seq, next_at_ms, attempts FROM deliveries "
	    "WHERE destination = ?1 "
	    "AND state = 0 AND state <> 1 AND seq >= ?2 ORDER BY seq",
	    probing->destination, from_seq);
	return take_due(tx, probing);
}

static bool
find_oldest(struct tx *tx, struct probing *probing)
{
	return tx_get(tx,
	    "SELECT seq FROM deliveries WHERE destination = ?1 AND state = 0 "
	    "AND next_at_ms <= ?2 ORDER BY next_at_ms, seq LIMIT 1",
	    probing->destination, probing->now_ms, &probing->seq);
}

/* ---- among the waiting ---- */

/* Chooses the first without a Retry-After of its own that is still running. */
static bool
find_waiting(struct tx *tx, struct probing *probing)
{
	int64_t seq, asked_until_ms;
	bool is_found = false;
	int looked_at = 0;

	tx_ask(tx,
	    "SELECT seq, coalesce(asked_until_ms, 0) FROM deliveries "
	    "WHERE destination = ?1 AND state = 0 AND next_at_ms > ?2 "
	    "ORDER BY next_at_ms, seq",
	    probing->destination, probing->now_ms);
	probing->at_ms = INT64_MAX;
	while (!is_found && looked_at++ < LOOK_MAX_COUNT &&
	       tx_next(tx, &seq, &asked_until_ms)) {
		if (asked_until_ms < probing->at_ms)
			probing->at_ms = asked_until_ms;
		is_found = asked_until_ms <= probing->now_ms;
	}
	tx_stop(tx);
	if (is_found)
		probing->seq = seq;
	return is_found;
}

/* ---- both ---- */

static find_function
first_choice(enum probe_turn which)
{
	switch (which) {
	case PROBE_TURN_NEWEST:
		return find_newest;
	case PROBE_TURN_OTHER:
		return find_other;
	case PROBE_TURN_OLDEST:
	case PROBE_TURN_COUNT:
		break;
	}
	return find_oldest;
}

enum store_status
store_read_probe(struct store *store, int64_t destination,
    const struct probe_choice *choice, int64_t now_ms, struct due *due)
{
	struct probing probing = {
	    .destination = destination, .now_ms = now_ms, .choice = choice};
	struct tx tx = tx_begin_read(store);

	*due = (struct due){.seq = 0};
	if (first_choice(choice->which)(&tx, &probing) ||
	    find_oldest(&tx, &probing) || find_waiting(&tx, &probing))
		claim_load(&tx, destination, probing.seq, now_ms, due);
	else
		tx_fail(&tx, STORE_GONE);
	return tx_end(&tx);
}

enum store_status
store_read_probe_at(
    struct store *store, int64_t destination, int64_t now_ms, int64_t *at_ms)
{
	struct probing probing = {
	    .destination = destination, .now_ms = now_ms, .at_ms = now_ms};
	struct tx tx = tx_none(store);

	if (!find_oldest(&tx, &probing))
		find_waiting(&tx, &probing);
	*at_ms = probing.at_ms;
	return tx_end(&tx);
}
