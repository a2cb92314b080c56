/*
 * Claiming: which delivery of a destination is due next, or when. A claim is
 * kept in the relay's own memory, so nothing is written here. Each question
 * reads the first rows of an index, however long the backlog.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "spool/tx.h"

/* The pending deliveries of a destination whose time is in [from, to]. */
struct search {
	int64_t destination;
	int64_t from_ms;
	int64_t to_ms;
	const int64_t *claimed; /* seqs that are left out */
	size_t claimed_count;
};

static bool
is_claimed(const struct search *search, int64_t seq)
{
	size_t i;

	for (i = 0; i < search->claimed_count; i++)
		if (search->claimed[i] == seq)
			return true;
	return false;
}

/* Finds the first delivery of the search: steps over the claimed ones only. */
static bool
search_first(struct tx *tx, const struct search *search, int64_t *seq,
    int64_t *next_at_ms)
{
	bool is_found;

	tx_ask(tx,
	    "SELECT seq, next_at_ms FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND next_at_ms BETWEEN ?2 AND ?3 "
	    "ORDER BY next_at_ms, seq",
	    search->destination, search->from_ms, search->to_ms);
	do
		is_found = tx_next(tx, seq, next_at_ms);
	while (is_found && is_claimed(search, *seq));
	tx_stop(tx);
	return is_found;
}

/* clang-format off */
static const char load_sql[] =
    "SELECT generation, attempts, attempts - attempts_before, "
    "first_attempt_ms, iif(first_attempt_ms IS NULL, 0, "
    "max(0, " SQL_HELD_AT("?3") " - first_held_ms)), next_at_ms, events.id, "
    "event_type, content_type, length(body) FROM deliveries "
    "JOIN events USING (seq) "
    "JOIN destinations ON destinations.id = destination "
    "WHERE seq = ?1 AND destination = ?2";
/* clang-format on */

void
claim_load(struct tx *tx, int64_t destination, int64_t seq, int64_t now_ms,
    struct due *due)
{
	int64_t body_bytes = 0;

	due->seq = seq;
	due->destination = destination;
	if (!tx_get(tx, load_sql, seq, destination, now_ms, &due->generation,
		&due->attempts, &due->attempts_counted, &due->first_attempt_ms,
		&due->held_ms, &due->next_at_ms,
		sql_text_to(due->id, sizeof due->id), &due->type,
		&due->content_type, &body_bytes) &&
	    tx_is_ok(tx))
		tx_fail(tx, store_fail(tx->store, SQLITE_CORRUPT,
				"find the event of a delivery"));
	due->body_bytes = (size_t)body_bytes;
}

enum store_status
store_read_due(struct store *store, int64_t destination, int64_t now_ms,
    int64_t ahead_max_ms, const int64_t *claimed, size_t claimed_count,
    struct due *due)
{
	struct search search = {
	    .destination = destination,
	    .from_ms = INT64_MIN,
	    .to_ms = now_ms,
	    .claimed = claimed,
	    .claimed_count = claimed_count,
	};
	struct tx tx = tx_begin_read(store);
	int64_t seq = 0, next_at_ms;
	bool is_found = search_first(&tx, &search, &seq, &next_at_ms);

	memset(due, 0, sizeof *due);
	if (!is_found && ahead_max_ms < INT64_MAX - now_ms) {
		search.from_ms = now_ms + ahead_max_ms + 1;
		search.to_ms = INT64_MAX;
		is_found = search_first(&tx, &search, &seq, &next_at_ms);
	}
	if (is_found)
		claim_load(&tx, destination, seq, now_ms, due);
	else
		tx_fail(&tx, STORE_GONE);
	return tx_end(&tx);
}

void
store_free_due(struct due *due)
{
	free(due->type);
	free(due->content_type);
	memset(due, 0, sizeof *due);
}

enum store_status
store_read_body(
    struct store *store, int64_t seq, char **body, size_t *body_bytes)
{
	struct tx tx = tx_none(store);

	if (!tx_get(&tx, "SELECT body FROM events WHERE seq = ?1", seq,
		sql_blob_to(body, body_bytes)))
		tx_fail(&tx, STORE_GONE);
	return tx_end(&tx);
}

enum store_status
store_read_next_at(struct store *store, int64_t destination,
    const int64_t *claimed, size_t claimed_count, int64_t *next_at_ms)
{
	const struct search search = {
	    .destination = destination,
	    .from_ms = INT64_MIN,
	    .to_ms = INT64_MAX,
	    .claimed = claimed,
	    .claimed_count = claimed_count,
	};
	struct tx tx = tx_none(store);
	int64_t seq;

	if (!search_first(&tx, &search, &seq, next_at_ms))
		*next_at_ms = INT64_MAX;
	return tx_end(&tx);
}

enum store_status
store_read_pending(struct store *store, bool *is_pending)
{
	struct tx tx = tx_none(store);

	*is_pending = true;
	tx_get(&tx,
	    "SELECT EXISTS (SELECT 1 FROM events "
	    "WHERE seq > (SELECT routed_seq FROM progress)) "
	    "OR EXISTS (SELECT 1 FROM destinations "
	    "WHERE is_configured AND pending > 0 AND paused_at_ms IS NULL)",
	    is_pending);
	return tx_end(&tx);
}
