/*
 * What is erased on request beside events: refused bodies, and what
 * destinations answered to other events.
 */
#include "config.h"

#include "spool/erasing.h"

#include "spool/store_internal.h"
#include "spool/tx.h"

/* An attempt that has an answer. */
struct attempt_key {
	int64_t seq;
	int64_t destination;
	int64_t number;
};

/* ---- refused bodies: few ---- */

/* The next one after `*seq` that is asked for. STORE_GONE: there is none. */
static enum store_status
find_refusal(struct store *store, struct erasing *erasing, int64_t *seq,
    enum mention_found *found)
{
	const struct time_bound *before = &erasing->erasure->before;
	enum store_status status;
	sqlite3_stmt *row = sql_prepare(store,
	    "SELECT seq, received_at_ms, body FROM refusals WHERE seq > ?1 "
	    "ORDER BY seq LIMIT 1");

	sqlite3_bind_int64(row, 1, *seq);
	status = sql_next(store, row);
	if (status != STORE_OK)
		return status;
	*seq = sqlite3_column_int64(row, 0);
	*found = MENTION_NOT;
	if (filter_is_before(before, sqlite3_column_int64(row, 1)))
		*found = erasing_find(erasing, row, 2, mention_find);
	sqlite3_reset(row);
	return STORE_OK;
}

static enum store_status
erase_refused(struct store *store, int64_t seq)
{
	struct tx tx = tx_begin(store);

	erase_refusal(&tx, seq);
	return tx_end(&tx);
}

enum store_status
erasing_refusals(struct store *store, struct erasing *erasing)
{
	enum mention_found found = MENTION_NOT;
	enum store_status status = STORE_OK;
	int64_t seq = 0;

	while (status == STORE_OK && erasing_goes_on(erasing)) {
		status = find_refusal(store, erasing, &seq, &found);
		if (status != STORE_OK || found == MENTION_NOT)
			continue;
		if (!erasing_is_dry(erasing))
			status = erase_refused(store, seq);
		if (status != STORE_OK)
			continue;
		erasing->counts->refused++;
		if (found == MENTION_TEXT)
			erasing->counts->refused_text++;
	}
	return status == STORE_GONE ? STORE_OK : status;
}

/* ---- what destinations answered to other events ---- */

/* Looks at the next answers after `*key`; `found` gets those that are asked
 * for. STORE_GONE: there were none. */
static enum store_status
look_at_answers(struct store *store, struct erasing *erasing,
    struct attempt_key *key, struct attempt_key found[ERASE_MAX_COUNT])
{
	const struct time_bound *before = &erasing->erasure->before;
	enum store_status status = STORE_OK;
	bool is_any = false;
	sqlite3_stmt *row = sql_prepare(store,
	    "SELECT seq, destination, number, started_at_ms, answer "
	    "FROM attempts WHERE (seq, destination, number) > (?1, ?2, ?3) "
	    "AND answer IS NOT NULL "
	    "ORDER BY seq, destination, number LIMIT ?4");

	erasing->found_count = 0;
	sqlite3_bind_int64(row, 1, key->seq);
	sqlite3_bind_int64(row, 2, key->destination);
	sqlite3_bind_int64(row, 3, key->number);
	sqlite3_bind_int(row, 4, LOOK_MAX_COUNT);
	while (erasing->found_count < ERASE_MAX_COUNT &&
	       (status = sql_next(store, row)) == STORE_OK) {
		is_any = true;
		key->seq = sqlite3_column_int64(row, 0);
		key->destination = sqlite3_column_int64(row, 1);
		key->number = sqlite3_column_int64(row, 2);
		if (filter_is_before(before, sqlite3_column_int64(row, 3)) &&
		    erasing_find(erasing, row, 4, mention_find_text) !=
			MENTION_NOT)
			found[erasing->found_count++] = *key;
	}
	status = erasing_end_rows(row, status);
	return status == STORE_OK && !is_any ? STORE_GONE : status;
}

/* Leaves out, of those found, the answers to an event that would go itself. */
static enum store_status
pass_over_asked(struct store *store, struct erasing *erasing,
    const struct attempt_key *found)
{
	const struct time_bound *before = &erasing->erasure->before;
	enum store_status status = STORE_OK;
	size_t i, count = erasing->found_count;

	for (i = 0; i < count && status == STORE_OK; i++) {
		sqlite3_stmt *row = sql_prepare(store,
		    "SELECT received_at_ms, body FROM events WHERE seq = ?1");

		sqlite3_bind_int64(row, 1, found[i].seq);
		status = sql_next(store, row);
		if (status == STORE_OK &&
		    filter_is_before(before, sqlite3_column_int64(row, 0)) &&
		    erasing_find(erasing, row, 1, mention_find) != MENTION_NOT)
			erasing->found_count--;
		status = erasing_end_rows(row, status);
	}
	return status;
}

static enum store_status
run_for_answer(
    struct store *store, const char *sql, const struct attempt_key *key)
{
	sqlite3_stmt *statement = sql_prepare(store, sql);

	sqlite3_bind_int64(statement, 1, key->seq);
	sqlite3_bind_int64(statement, 2, key->destination);
	sqlite3_bind_int64(statement, 3, key->number);
	return sql_run(store, statement);
}

static enum store_status
empty_answers(struct store *store, struct erasing *erasing,
    const struct attempt_key *found)
{
	enum store_status status = store_begin(store, store_deadline(store));
	size_t i;

	if (status != STORE_OK)
		return status;
	for (i = 0; i < erasing->found_count && status == STORE_OK; i++) {
		status = run_for_answer(store,
		    "UPDATE attempts SET answer = zeroblob(length(answer)) "
		    "WHERE seq = ?1 AND destination = ?2 AND number = ?3",
		    &found[i]);
		if (status == STORE_OK)
			status = run_for_answer(store,
			    "UPDATE attempts SET answer = NULL "
			    "WHERE seq = ?1 AND destination = ?2 "
			    "AND number = ?3",
			    &found[i]);
	}
	if (status != STORE_OK) {
		store_rollback(store);
		return status;
	}
	return store_commit(store);
}

enum store_status
erasing_answers(struct store *store, struct erasing *erasing)
{
	struct attempt_key found[ERASE_MAX_COUNT], key = {0};
	enum store_status status = STORE_OK;

	while (status == STORE_OK && erasing_asks_for_text(erasing) &&
	       erasing_goes_on(erasing)) {
		status = look_at_answers(store, erasing, &key, found);
		if (status != STORE_OK || erasing->found_count == 0)
			continue;
		status = erasing_is_dry(erasing)
			     ? pass_over_asked(store, erasing, found)
			     : empty_answers(store, erasing, found);
		if (status == STORE_OK)
			erasing->counts->answers +=
			    (int64_t)erasing->found_count;
	}
	return status == STORE_GONE ? STORE_OK : status;
}
