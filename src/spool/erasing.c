/*
 * Erasing what a person asks for: by ticket, note, e-mail address or time.
 * Looks without the lock, a page of events at a time, and erases in short
 * transactions what was found; what somebody else erased meanwhile is passed
 * over. Whatever its state an event goes: first what is pending of it is
 * dropped, then it is erased as retention would.
 */
#include "config.h"

#include "spool/erasing.h"

#include <assert.h>

#include "base/clock.h"
#include "spool/store_internal.h"
#include "spool/tx.h"

#define LOOK_MAX_BYTES  1000000 /* of their bodies, and one more */
#define ERASE_MAX_BYTES 1000000 /* of their bodies, and one more */
#define CLEAN_WAIT_MS   10000

bool
erasing_asks_for_text(const struct erasing *erasing)
{
	const struct mention *mention = &erasing->mention;

	return mention->ticket != NULL || mention->note != NULL ||
	       mention->email != NULL || erasing->erasure->match != NULL;
}

bool
erasing_is_dry(const struct erasing *erasing)
{
	return erasing->options->mode == CHANGE_COUNT;
}

bool
erasing_goes_on(struct erasing *erasing)
{
	const struct erase_options *options = erasing->options;

	if (!erasing->is_stopped && options->progress != NULL)
		erasing->is_stopped =
		    !options->progress(options->progress_arg, erasing->counts);
	return !erasing->is_stopped;
}

enum mention_found
erasing_find(const struct erasing *erasing, sqlite3_stmt *row, int column,
    find_function find)
{
	const char *match = erasing->erasure->match, *text;
	enum mention_found found = MENTION_MEMBER;
	size_t len;

	if (!erasing_asks_for_text(erasing))
		return MENTION_MEMBER;
	text = sqlite3_column_blob(row, column);
	len = (size_t)sqlite3_column_bytes(row, column);
	if (text == NULL ||
	    (match != NULL && !mention_has_text(text, len, match)))
		return MENTION_NOT;
	if (erasing->has_mention)
		found = find(text, len, &erasing->mention);
	return found;
}

enum store_status
erasing_end_rows(sqlite3_stmt *statement, enum store_status status)
{
	if (status == STORE_OK)
		sqlite3_reset(statement);
	return status == STORE_GONE ? STORE_OK : status;
}

/* ---- events ---- */

/* Whether an event that stays speaks of the person all the same. */
static bool
is_mentioned(const struct erasing *erasing, sqlite3_stmt *row, int column)
{
	const struct erasure *erasure = erasing->erasure;
	const char *text = sqlite3_column_blob(row, column);

	return text != NULL && erasure->email != NULL &&
	       erasure->ticket == NULL && erasure->note == NULL &&
	       erasure->match == NULL &&
	       mention_has_text(text, (size_t)sqlite3_column_bytes(row, column),
		   erasure->email);
}

/* Looks at events before `*seq`, the newest first, until enough is found or
 * looked at; `*seq` is then how far it came. STORE_GONE: there were none. */
static enum store_status
look_at_events(struct store *store, struct erasing *erasing, int64_t *seq)
{
	int64_t bytes = 0, looked_at = erasing->counts->looked_at;
	enum store_status status = STORE_OK;
	sqlite3_stmt *row = sql_prepare(store,
	    "SELECT seq, length(body), received_at_ms, body FROM events "
	    "WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2");

	erasing->found_count = 0;
	erasing->found_bytes = 0;
	sqlite3_bind_int64(row, 1, *seq);
	sqlite3_bind_int(row, 2, LOOK_MAX_COUNT);
	while (erasing->found_count < ERASE_MAX_COUNT &&
	       erasing->found_bytes < ERASE_MAX_BYTES &&
	       bytes < LOOK_MAX_BYTES) {
		status = sql_next(store, row);
		if (status != STORE_OK)
			break;
		*seq = sqlite3_column_int64(row, 0);
		erasing->counts->looked_at++;
		if (!filter_is_before(&erasing->erasure->before,
			sqlite3_column_int64(row, 2)))
			continue;
		bytes += sqlite3_column_int64(row, 1);
		if (erasing_find(erasing, row, 3, mention_find) ==
		    MENTION_NOT) {
			erasing->counts->mentioned +=
			    is_mentioned(erasing, row, 3);
			continue;
		}
		erasing->found[erasing->found_count++] = *seq;
		erasing->found_bytes += sqlite3_column_int64(row, 1);
	}
	status = erasing_end_rows(row, status);
	if (status == STORE_OK && erasing->counts->looked_at == looked_at)
		return STORE_GONE;
	return status;
}

/* Counts it, as it is now. STORE_GONE: it is gone. */
static enum store_status
count_event(struct store *store, int64_t seq, struct erase_counts *counts)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq > (SELECT routed_seq FROM progress), "
	    "(SELECT count(*) FROM deliveries "
	    "WHERE deliveries.seq = ?1 AND state = 0) "
	    "FROM events WHERE seq = ?1");

	sqlite3_bind_int64(statement, 1, seq);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	counts->events++;
	counts->events_new += sqlite3_column_int64(statement, 0);
	counts->undelivered += sqlite3_column_int64(statement, 1);
	sqlite3_reset(statement);
	return STORE_OK;
}

static void
drop_pending(struct tx *tx, int64_t seq)
{
	int64_t destination = 0, now_ms = store_now_ms(tx->store);

	while (tx_get(tx,
	    "SELECT destination FROM deliveries "
	    "WHERE seq = ?1 AND state = 0 LIMIT 1",
	    seq, &destination)) {
		bool is_dropped = drop_delivery(
		    tx, seq, destination, DELIVERY_PENDING, now_ms);

		assert(is_dropped || !tx_is_ok(tx));
	}
}

static enum store_status
erase_one(struct store *store, int64_t seq, struct erase_counts *counts)
{
	int64_t body_bytes = 0;
	enum store_status status = count_event(store, seq, counts);
	struct tx tx = tx_none(store);

	tx_fail(&tx, status);
	drop_pending(&tx, seq);
	erase_event(&tx, seq, &body_bytes);
	return tx_end(&tx);
}

static enum store_status
erase_found(struct store *store, struct erasing *erasing)
{
	struct erase_counts counts = *erasing->counts;
	enum store_status status = store_begin(store, store_deadline(store));
	size_t i;

	if (status != STORE_OK)
		return status;
	for (i = 0; i < erasing->found_count && status == STORE_OK; i++) {
		status = erase_one(store, erasing->found[i], &counts);
		if (status == STORE_GONE)
			status = STORE_OK;
	}
	if (status == STORE_OK)
		status = store_commit(store);
	else
		store_rollback(store);
	if (status != STORE_OK)
		return status;
	*erasing->counts = counts;
	return STORE_OK;
}

/* STORE_GONE: it is gone. */
static enum store_status
show_event(struct store *store, struct erasing *erasing, int64_t seq)
{
	const struct erase_options *options = erasing->options;
	struct delivery_row *deliveries = NULL;
	struct event_row event;
	size_t count = 0;
	enum store_status status = query_read_event(store, seq, &event);

	if (status == STORE_OK)
		status = query_read_deliveries(store, seq, &deliveries, &count);
	if (status == STORE_OK &&
	    !options->each(options->each_arg, &event, deliveries, count))
		erasing->is_stopped = true;
	query_free_event(&event);
	query_free_deliveries(deliveries, count);
	return status;
}

static enum store_status
count_found(struct store *store, struct erasing *erasing)
{
	enum store_status status = STORE_OK;
	size_t i;

	for (i = 0; i < erasing->found_count && status == STORE_OK; i++) {
		status = count_event(store, erasing->found[i], erasing->counts);
		if (status == STORE_OK && erasing->options->each != NULL)
			status = show_event(store, erasing, erasing->found[i]);
		if (status == STORE_GONE)
			status = STORE_OK;
	}
	return status;
}

/* Those that were there at the beginning. */
static enum store_status
erase_events(struct store *store, struct erasing *erasing)
{
	int64_t seq = 0;
	enum store_status status = sql_read_int64(
	    store, "SELECT coalesce(max(seq), 0) + 1 FROM events", &seq);

	if (status == STORE_OK)
		status = sql_read_int64(store,
		    "SELECT coalesce((SELECT max(seq) FROM events), 0) - "
		    "erased_events FROM progress",
		    &erasing->counts->to_look_at);
	while (status == STORE_OK && erasing_goes_on(erasing)) {
		status = look_at_events(store, erasing, &seq);
		if (status != STORE_OK || erasing->found_count == 0)
			continue;
		status = erasing_is_dry(erasing) ? count_found(store, erasing)
						 : erase_found(store, erasing);
	}
	return status == STORE_GONE ? STORE_OK : status;
}

/* ---- the whole ---- */

static bool
is_empty(const char *text)
{
	return text != NULL && *text == '\0';
}

static enum store_status
clean(struct store *store, struct erasing *erasing)
{
	int64_t wait_ms = erasing->options->clean_wait_ms;
	enum store_status status =
	    scrub_files(store, wait_ms > 0 ? wait_ms : CLEAN_WAIT_MS);

	erasing->counts->is_clean = status == STORE_OK;
	/* A reader in the way, a full disk: what is erased is erased. */
	return status == STORE_BUSY || status == STORE_FULL ? STORE_OK : status;
}

enum store_status
store_erase(struct store *store, const struct erasure *erasure,
    const struct erase_options *options, struct erase_counts *counts)
{
	struct erasing erasing = {.erasure = erasure,
	    .options = options,
	    .counts = counts,
	    .mention = {erasure->ticket, erasure->note, erasure->email},
	    .has_mention = erasure->ticket != NULL || erasure->note != NULL ||
			   erasure->email != NULL};
	enum store_status status;

	*counts = (struct erase_counts){.is_clean = true};
	if (!erasing_asks_for_text(&erasing) && !erasure->before.is_given)
		return store_say(store, STORE_REFUSED,
		    "nothing says what to erase: a ticket, a note, an e-mail "
		    "address or a time is needed");
	if (is_empty(erasure->ticket) || is_empty(erasure->note) ||
	    is_empty(erasure->email) || is_empty(erasure->match))
		return store_say(store, STORE_REFUSED,
		    "a ticket, a note, an e-mail address or a text is empty");
	if (erasure->match != NULL && !erasing_is_dry(&erasing))
		return store_say(store, STORE_REFUSED,
		    "a text is looked for in a dry run only");
	status = erase_events(store, &erasing);
	if (status == STORE_OK)
		status = erasing_refusals(store, &erasing);
	if (status == STORE_OK)
		status = erasing_answers(store, &erasing);
	/* Also where nothing was found: the last time somebody may have been in
	 * the way. */
	if (!erasing_is_dry(&erasing)) {
		enum store_status cleaned = clean(store, &erasing);

		if (status == STORE_OK)
			status = cleaned;
	}
	return status;
}
