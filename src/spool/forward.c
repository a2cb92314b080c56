/*
 * Brings forward, a page a call, the deliveries that wait for their next
 * attempt: after their destination has come back, or an operator has said that
 * its fault is gone. Walks the waiting deliveries alone, by their time, and so
 * costs the same however many are due or behind.
 */
#include "config.h"

#include "spool/store_internal.h"
#include "spool/tx.h"

/* clang-format off */
static const char bring_sql[] =
    "UPDATE deliveries SET next_at_ms = max(?2, iif(?6, 0, "
    "coalesce(asked_until_ms, 0))) WHERE destination = ?1 "
    "AND seq IN (SELECT seq FROM deliveries WHERE destination = ?1 "
    "AND state = 0 AND next_at_ms > ?3 AND next_at_ms <= ?4 "
    "AND (?6 OR coalesce(asked_until_ms, 0) < next_at_ms) "
    "AND (?5 IS NULL OR failed_at_ms BETWEEN ?5 AND ?7))";
/* clang-format on */

static void
bring_page(struct tx *tx, int64_t destination, const struct forward *forward,
    int64_t to_ms)
{
	bool is_failed = forward->which == FORWARD_FAILED;

	tx_run(tx, bring_sql, destination, forward->now_ms, forward->from_ms,
	    to_ms, is_failed ? sql_int(forward->failed_since_ms) : sql_null(),
	    forward->which == FORWARD_EVEN_ASKED,
	    is_failed ? sql_int(forward->failed_until_ms) : sql_null());
}

enum store_status
store_bring_forward(struct store *store, int64_t destination,
    struct forward *forward, size_t limit, bool *is_more)
{
	/* Where the page ends; INT64_MAX: it is the last one. */
	int64_t to_ms = INT64_MAX;
	struct tx tx = tx_begin(store);

	*is_more = false;
	tx_get(&tx,
	    "SELECT next_at_ms FROM deliveries WHERE destination = ?1 "
	    "AND state = 0 AND next_at_ms > ?2 ORDER BY next_at_ms, seq "
	    "LIMIT 1 OFFSET ?3",
	    destination, forward->from_ms, limit - 1, &to_ms);
	bring_page(&tx, destination, forward, to_ms);
	if (tx_end(&tx) != STORE_OK)
		return tx.status;
	*is_more = to_ms != INT64_MAX;
	forward->from_ms = to_ms;
	return STORE_OK;
}
