/*
 * Which delivery probes a destination that is down. Each question is some of
 * an index's first rows, however long the backlog.
 */
#include "config.h"

#include "spool/store_internal.h"

#define LOOK_MAX_COUNT 1000 /* rows that may be passed over */

/* What each way of choosing is told. */
struct probing {
	int64_t destination;
	int64_t now_ms;
	const struct probe_choice *choice;
	int64_t seq;   /* out: of the delivery that was chosen */
	int64_t at_ms; /* out, find_waiting: where it chose none, when it may */
};

typedef enum store_status (*find_function)(
    struct store *store, struct probing *probing);

/* ---- among what is due ---- */

/* Of at most LOOK_MAX_COUNT rows (seq, next_at_ms, attempts) the first that is
 * due, was never tried and is not the last probe; else the first that is due
 * and not that: what failed before may have a reason of its own. STORE_GONE:
 * none is due. Ends the statement. */
static enum store_status
take_due(struct store *store, sqlite3_stmt *rows, struct probing *probing)
{
	enum store_status status;
	int looked_at = 0;

	probing->seq = 0;
	while ((status = sql_next(store, rows)) == STORE_OK) {
		int64_t seq = sqlite3_column_int64(rows, 0);
		bool is_due = sqlite3_column_type(rows, 1) != SQLITE_NULL &&
			      sqlite3_column_int64(rows, 1) <= probing->now_ms;
		bool is_new = sqlite3_column_int(rows, 2) == 0;

		if (is_due && seq != probing->choice->last_seq &&
		    (is_new || probing->seq == 0))
			probing->seq = seq;
		if ((probing->seq == seq && is_new) ||
		    ++looked_at == LOOK_MAX_COUNT) {
			sqlite3_reset(rows);
			break;
		}
	}
	if (status != STORE_OK && status != STORE_GONE)
		return status;
	return probing->seq != 0 ? STORE_OK : STORE_GONE;
}

/* `state <> 1` is how SQLite sees that the index deliveries_open will do. */
static enum store_status
find_newest(struct store *store, struct probing *probing)
{
	sqlite3_stmt *rows = sql_prepare(store,
	    "SELECT seq, next_at_ms, attempts FROM deliveries "
	    "WHERE destination = ?1 "
	    "AND state = 0 AND state <> 1 ORDER BY seq DESC");

	sqlite3_bind_int64(rows, 1, probing->destination);
	return take_due(store, rows, probing);
}

/* A seq between the first and the last that is pending. STORE_GONE: none is. */
static enum store_status
choose_seq(struct store *store, struct probing *probing, int64_t *seq)
{
	int64_t first, last;
	enum store_status status;
	sqlite3_stmt *row = sql_prepare(store,
	    "SELECT (SELECT seq FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND state <> 1 ORDER BY seq LIMIT 1), "
	    "(SELECT seq FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND state <> 1 ORDER BY seq DESC LIMIT 1)");

	sqlite3_bind_int64(row, 1, probing->destination);
	status = sql_next(store, row);
	if (status != STORE_OK)
		return status;
	first = sqlite3_column_int64(row, 0);
	last = sqlite3_column_int64(row, 1);
	sqlite3_reset(row);
	*seq =
	    first + (int64_t)((double)(last - first + 1) *
			      (double)probing->choice->random / 4294967296.0);
	return STORE_OK;
}

static enum store_status
find_other(struct store *store, struct probing *probing)
{
	int64_t from_seq = 0;
	enum store_status status = choose_seq(store, probing, &from_seq);
	sqlite3_stmt *rows;

	if (status != STORE_OK)
		return status;
	rows = sql_prepare(store,
	    "SELECT seq, next_at_ms, attempts FROM deliveries "
	    "WHERE destination = ?1 "
	    "AND state = 0 AND state <> 1 AND seq >= ?2 ORDER BY seq");
	sqlite3_bind_int64(rows, 1, probing->destination);
	sqlite3_bind_int64(rows, 2, from_seq);
	return take_due(store, rows, probing);
}

static enum store_status
find_oldest(struct store *store, struct probing *probing)
{
	enum store_status status;
	sqlite3_stmt *row = sql_prepare(store,
	    "SELECT seq FROM deliveries WHERE destination = ?1 AND state = 0 "
	    "AND next_at_ms <= ?2 ORDER BY next_at_ms, seq LIMIT 1");

	sqlite3_bind_int64(row, 1, probing->destination);
	sqlite3_bind_int64(row, 2, probing->now_ms);
	status = sql_next(store, row);
	if (status != STORE_OK)
		return status;
	probing->seq = sqlite3_column_int64(row, 0);
	sqlite3_reset(row);
	return STORE_OK;
}

/* ---- among what waits ---- */

/* The first that its own Retry-After does not keep. */
static enum store_status
find_waiting(struct store *store, struct probing *probing)
{
	enum store_status status;
	int looked_at = 0;
	sqlite3_stmt *rows = sql_prepare(store,
	    "SELECT seq, coalesce(asked_until_ms, 0) FROM deliveries "
	    "WHERE destination = ?1 AND state = 0 AND next_at_ms > ?2 "
	    "ORDER BY next_at_ms, seq");

	sqlite3_bind_int64(rows, 1, probing->destination);
	sqlite3_bind_int64(rows, 2, probing->now_ms);
	probing->at_ms = INT64_MAX;
	while ((status = sql_next(store, rows)) == STORE_OK) {
		int64_t asked_until_ms = sqlite3_column_int64(rows, 1);

		if (asked_until_ms < probing->at_ms)
			probing->at_ms = asked_until_ms;
		if (asked_until_ms <= probing->now_ms)
			probing->seq = sqlite3_column_int64(rows, 0);
		else if (++looked_at < LOOK_MAX_COUNT)
			continue;
		break;
	}
	if (status != STORE_OK)
		return status;
	sqlite3_reset(rows);
	return looked_at < LOOK_MAX_COUNT ? STORE_OK : STORE_GONE;
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

static enum store_status
choose(struct store *store, struct probing *probing)
{
	enum store_status status =
	    first_choice(probing->choice->which)(store, probing);

	if (status == STORE_GONE)
		status = find_oldest(store, probing);
	if (status == STORE_GONE)
		status = find_waiting(store, probing);
	return status;
}

enum store_status
store_read_probe(struct store *store, int64_t destination,
    const struct probe_choice *choice, int64_t now_ms, struct due *due)
{
	struct probing probing = {
	    .destination = destination, .now_ms = now_ms, .choice = choice};
	enum store_status status = query_begin(store);

	*due = (struct due){.seq = 0};
	if (status != STORE_OK)
		return status;
	status = choose(store, &probing);
	if (status == STORE_OK)
		status =
		    claim_load(store, destination, probing.seq, now_ms, due);
	query_end(store);
	return status;
}

enum store_status
store_read_probe_at(
    struct store *store, int64_t destination, int64_t now_ms, int64_t *at_ms)
{
	struct probing probing = {
	    .destination = destination, .now_ms = now_ms, .at_ms = now_ms};
	enum store_status status = find_oldest(store, &probing);

	if (status == STORE_GONE)
		status = find_waiting(store, &probing);
	*at_ms = probing.at_ms;
	return status == STORE_GONE ? STORE_OK : status;
}
