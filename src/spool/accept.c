/*
 * Taking a refused body for an event after all. One transaction: the event is
 * there and the refusal gone, or neither has changed.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <string.h>

/* Whether the refusal is whole and its body is the one to be stored. */
static enum store_status
check_refusal(struct store *store, int64_t seq, const struct capture *capture)
{
	enum store_status status;
	bool is_whole, is_same;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT sent_bytes IS length(body), body FROM refusals "
	    "WHERE seq = ?1");

	sqlite3_bind_int64(statement, 1, seq);
	status = sql_next(store, statement);
	if (status == STORE_GONE)
		return store_say(store, STORE_GONE,
		    "no refused body has the number %lld", (long long)seq);
	if (status != STORE_OK)
		return status;
	is_whole = sqlite3_column_int(statement, 0) != 0;
	is_same =
	    (size_t)sqlite3_column_bytes(statement, 1) == capture->body_bytes &&
	    (capture->body_bytes == 0 ||
		memcmp(sqlite3_column_blob(statement, 1), capture->body,
		    capture->body_bytes) == 0);
	sqlite3_reset(statement);
	if (!is_whole)
		return store_say(store, STORE_REFUSED,
		    "of the refused body %lld only the beginning was kept",
		    (long long)seq);
	if (!is_same)
		return store_say(store, STORE_REFUSED,
		    "the refused body %lld is another one", (long long)seq);
	return STORE_OK;
}

static enum store_status
accept_under_lock(struct store *store, int64_t seq, struct capture *capture)
{
	enum store_status status = check_refusal(store, seq, capture);

	if (status == STORE_OK)
		status = store_check_limits(store);
	if (status == STORE_OK)
		status = capture_insert(store, capture);
	if (status == STORE_OK && capture->result != CAPTURE_STORED)
		status = STORE_FAILED;
	if (status == STORE_OK)
		status = erase_refusal(store, seq);
	return status;
}

enum store_status
store_accept_refused(struct store *store, int64_t seq, struct capture *capture)
{
	enum store_status status = store_begin(store, store_deadline(store));

	capture->result = CAPTURE_FAILED;
	if (status != STORE_OK)
		return status;
	status = accept_under_lock(store, seq, capture);
	if (status == STORE_OK)
		status = store_commit(store);
	else
		store_rollback(store);
	if (status != STORE_OK)
		capture->result = CAPTURE_FAILED;
	return status;
}
