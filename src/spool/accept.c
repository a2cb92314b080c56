/*
 * Accepts a refused body as an event, in one transaction: the event exists and
 * the refusal is gone, or neither has changed.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <string.h>

#include "spool/tx.h"

/* Fails unless the refusal is whole and its body equals the one to store. */
static void
check_refusal(struct tx *tx, int64_t seq, const struct capture *capture)
{
	const char *body = capture->body_bytes > 0 ? capture->body : "";
	bool is_whole = false, is_same = false;

	if (!tx_get(tx,
		"SELECT sent_bytes IS length(body), body IS ?2 FROM refusals "
		"WHERE seq = ?1",
		seq, sql_blob(body, capture->body_bytes), &is_whole, &is_same))
		tx_say(tx, STORE_GONE, "no refused body has the number %lld",
		    (long long)seq);
	if (!is_whole)
		tx_say(tx, STORE_REFUSED,
		    "of the refused body %lld only the beginning was kept",
		    (long long)seq);
	if (!is_same)
		tx_say(tx, STORE_REFUSED,
		    "the refused body %lld is another one", (long long)seq);
}

enum store_status
store_accept_refused(struct store *store, int64_t seq, struct capture *capture)
{
	struct tx tx = tx_begin(store);

	capture->result = CAPTURE_FAILED;
	check_refusal(&tx, seq, capture);
	if (tx_is_ok(&tx))
		tx_fail(&tx, store_check_limits(store));
	if (tx_is_ok(&tx))
		tx_fail(&tx, capture_insert(store, capture));
	if (capture->result != CAPTURE_STORED)
		tx_fail(&tx, STORE_FAILED);
	erase_refusal(&tx, seq);
	if (tx_end(&tx) != STORE_OK)
		capture->result = CAPTURE_FAILED;
	return tx.status;
}
