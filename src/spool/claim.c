/*
 * Claiming: which delivery of a destination is due next, or when. A claim is
 * the relay's own memory, so nothing is written here. Each question is an
 * index's first rows, however long the backlog.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Goes to the first row (seq, next_at_ms) of the search. The statement stays
 * open on STORE_OK, so that what is read next is of the same moment; the
 * caller resets it. Steps over the claimed ones only. */
static enum store_status
search_first(
    struct store *store, const struct search *search, sqlite3_stmt **found)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq, next_at_ms FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND next_at_ms BETWEEN ?2 AND ?3 "
	    "ORDER BY next_at_ms, seq");

	sqlite3_bind_int64(statement, 1, search->destination);
	sqlite3_bind_int64(statement, 2, search->from_ms);
	sqlite3_bind_int64(statement, 3, search->to_ms);
	do {
		status = sql_next(store, statement);
	} while (status == STORE_OK &&
		 is_claimed(search, sqlite3_column_int64(statement, 0)));
	*found = statement;
	return status;
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

enum store_status
claim_load(struct store *store, int64_t destination, int64_t seq,
    int64_t now_ms, struct due *due)
{
	enum store_status status;
	const unsigned char *id;
	sqlite3_stmt *statement = sql_prepare(store, load_sql);

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	sqlite3_bind_int64(statement, 3, now_ms);
	status = sql_next(store, statement);
	if (status == STORE_GONE)
		return store_fail(
		    store, SQLITE_CORRUPT, "find the event of a delivery");
	if (status != STORE_OK)
		return status;
	due->seq = seq;
	due->destination = destination;
	due->generation = sqlite3_column_int64(statement, 0);
	due->attempts = sqlite3_column_int(statement, 1);
	due->attempts_counted = sqlite3_column_int(statement, 2);
	due->first_attempt_ms = sqlite3_column_int64(statement, 3);
	due->held_ms = sqlite3_column_int64(statement, 4);
	due->next_at_ms = sqlite3_column_int64(statement, 5);
	id = sqlite3_column_text(statement, 6);
	snprintf(
	    due->id, sizeof due->id, "%s", id != NULL ? (const char *)id : "");
	due->type = sql_text_dup(statement, 7);
	due->content_type = sql_text_dup(statement, 8);
	due->body_bytes = (size_t)sqlite3_column_int64(statement, 9);
	sqlite3_reset(statement);
	return STORE_OK;
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
	sqlite3_stmt *found = NULL;
	enum store_status status = search_first(store, &search, &found);

	memset(due, 0, sizeof *due);
	if (status == STORE_GONE && ahead_max_ms < INT64_MAX - now_ms) {
		search.from_ms = now_ms + ahead_max_ms + 1;
		search.to_ms = INT64_MAX;
		status = search_first(store, &search, &found);
	}
	if (status != STORE_OK)
		return status;
	status = claim_load(
	    store, destination, sqlite3_column_int64(found, 0), now_ms, due);
	sqlite3_reset(found);
	return status;
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
	enum store_status status;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT body FROM events WHERE seq = ?1");

	sqlite3_bind_int64(statement, 1, seq);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*body = sql_blob_dup(statement, 0, body_bytes);
	sqlite3_reset(statement);
	return STORE_OK;
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
	sqlite3_stmt *found = NULL;
	enum store_status status = search_first(store, &search, &found);

	*next_at_ms = INT64_MAX;
	if (status == STORE_GONE)
		return STORE_OK;
	if (status != STORE_OK)
		return status;
	*next_at_ms = sqlite3_column_int64(found, 1);
	sqlite3_reset(found);
	return STORE_OK;
}

enum store_status
store_read_pending(struct store *store, bool *is_pending)
{
	int64_t any = 0;
	enum store_status status = sql_read_int64(store,
	    "SELECT EXISTS (SELECT 1 FROM events "
	    "WHERE seq > (SELECT routed_seq FROM progress)) "
	    "OR EXISTS (SELECT 1 FROM destinations "
	    "WHERE is_configured AND pending > 0 AND paused_at_ms IS NULL)",
	    &any);

	*is_pending = status != STORE_OK || any != 0;
	return status;
}
