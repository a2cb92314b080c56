/*
 * What waits for its next attempt comes forward, a page a call: where its
 * destination is back, or somebody says that something was mended. Walks
 * through what waits alone, by its time, and not through what is due or
 * behind, however long that backlog is.
 */
#include "config.h"

#include "spool/store_internal.h"

/* Where the page after `from_ms` ends; INT64_MAX: it is the last one. */
static enum store_status
find_end(struct store *store, int64_t destination, int64_t from_ms,
    size_t limit, int64_t *to_ms)
{
	enum store_status status;
	sqlite3_stmt *row = sql_prepare(store,
	    "SELECT next_at_ms FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND next_at_ms > ?2 ORDER BY next_at_ms, seq "
	    "LIMIT 1 OFFSET ?3");

	sqlite3_bind_int64(row, 1, destination);
	sqlite3_bind_int64(row, 2, from_ms);
	sqlite3_bind_int64(row, 3, (int64_t)limit - 1);
	*to_ms = INT64_MAX;
	status = sql_next(store, row);
	if (status == STORE_GONE)
		return STORE_OK;
	if (status != STORE_OK)
		return status;
	*to_ms = sqlite3_column_int64(row, 0);
	sqlite3_reset(row);
	return STORE_OK;
}

/* clang-format off */
static const char bring_sql[] =
    "UPDATE deliveries SET next_at_ms = max(?2, iif(?6, 0, "
    "coalesce(asked_until_ms, 0))) WHERE destination = ?1 "
    "AND seq IN (SELECT seq FROM deliveries WHERE destination = ?1 "
    "AND state = 0 AND next_at_ms > ?3 AND next_at_ms <= ?4 "
    "AND (?6 OR coalesce(asked_until_ms, 0) < next_at_ms) "
    "AND (?5 IS NULL OR failed_at_ms BETWEEN ?5 AND ?7))";
/* clang-format on */

static enum store_status
bring_page(struct store *store, int64_t destination,
    const struct forward *forward, int64_t to_ms)
{
	sqlite3_stmt *statement = sql_prepare(store, bring_sql);

	sqlite3_bind_int64(statement, 1, destination);
	sqlite3_bind_int64(statement, 2, forward->now_ms);
	sqlite3_bind_int64(statement, 3, forward->from_ms);
	sqlite3_bind_int64(statement, 4, to_ms);
	if (forward->which == FORWARD_FAILED) {
		sqlite3_bind_int64(statement, 5, forward->failed_since_ms);
		sqlite3_bind_int64(statement, 7, forward->failed_until_ms);
	}
	sqlite3_bind_int(statement, 6, forward->which == FORWARD_EVEN_ASKED);
	return sql_run(store, statement);
}

enum store_status
store_bring_forward(struct store *store, int64_t destination,
    struct forward *forward, size_t limit, bool *is_more)
{
	int64_t to_ms = INT64_MAX;
	enum store_status status = store_begin(store, store_deadline(store));

	*is_more = false;
	if (status != STORE_OK)
		return status;
	status = find_end(store, destination, forward->from_ms, limit, &to_ms);
	if (status == STORE_OK)
		status = bring_page(store, destination, forward, to_ms);
	if (status != STORE_OK) {
		store_rollback(store);
		return status;
	}
	status = store_commit(store);
	if (status == STORE_OK) {
		*is_more = to_ms != INT64_MAX;
		forward->from_ms = to_ms;
	}
	return status;
}
