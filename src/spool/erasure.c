/*
 * Erasing what a person asks for: by ticket, note, e-mail address or time.
 * Looks without the lock, a page of events at a time, and erases in short
 * transactions what was found; what somebody else erased meanwhile is passed
 * over. Whatever its state an event goes: first what is pending of it is
 * dropped, then it is erased as retention would.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"
#include "event/mention.h"

#define LOOK_MAX_COUNT  256     /* rows looked at at once */
#define LOOK_MAX_BYTES  1000000 /* of their bodies, and one more */
#define ERASE_MAX_COUNT 50      /* erased in one transaction */
#define ERASE_MAX_BYTES 1000000 /* of their bodies, and one more */
#define CLEAN_WAIT_MS   10000

struct erasing {
	const struct erasure *erasure;
	const struct erase_options *options;
	struct erase_counts *counts;
	struct mention mention;
	bool is_stopped;

	/* What was found at the last look. */
	int64_t found[ERASE_MAX_COUNT];
	size_t found_count;
	int64_t found_bytes;
};

/* An attempt that has an answer. */
struct attempt_key {
	int64_t seq;
	int64_t destination;
	int64_t number;
};

static bool
asks_for_text(const struct erasing *erasing)
{
	const struct mention *mention = &erasing->mention;

	return mention->ticket != NULL || mention->note != NULL ||
	       mention->email != NULL;
}

static bool
is_dry(const struct erasing *erasing)
{
	return erasing->options->mode == CHANGE_COUNT;
}

static bool
goes_on(struct erasing *erasing)
{
	const struct erase_options *options = erasing->options;

	if (!erasing->is_stopped && options->progress != NULL)
		erasing->is_stopped =
		    !options->progress(options->progress_arg, erasing->counts);
	return !erasing->is_stopped;
}

typedef enum mention_found (*find_function)(
    const char *text, size_t len, const struct mention *what);

/* Whether the text in `column` is one of those asked for. */
static enum mention_found
find_in(const struct erasing *erasing, sqlite3_stmt *row, int column,
    find_function find)
{
	const char *text;

	if (!asks_for_text(erasing))
		return MENTION_MEMBER;
	text = sqlite3_column_blob(row, column);
	if (text == NULL)
		return MENTION_NOT;
	return find(
	    text, (size_t)sqlite3_column_bytes(row, column), &erasing->mention);
}

/* Ends a run of sql_next that was broken off or came to its end. */
static enum store_status
end_rows(sqlite3_stmt *statement, enum store_status status)
{
	if (status == STORE_OK)
		sqlite3_reset(statement);
	return status == STORE_GONE ? STORE_OK : status;
}

/* ---- events ---- */

/* Looks at events after `*seq`, up to `last`, until enough is found or looked
 * at; `*seq` is then how far it came. STORE_GONE: there were none. */
static enum store_status
look_at_events(
    struct store *store, struct erasing *erasing, int64_t *seq, int64_t last)
{
	int64_t bytes = 0, looked_at = erasing->counts->looked_at;
	enum store_status status = STORE_OK;
	sqlite3_stmt *row = sql_prepare(store,
	    "SELECT seq, length(body), received_at_ms, body FROM events "
	    "WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3");

	erasing->found_count = 0;
	erasing->found_bytes = 0;
	sqlite3_bind_int64(row, 1, *seq);
	sqlite3_bind_int64(row, 2, last);
	sqlite3_bind_int(row, 3, LOOK_MAX_COUNT);
	while (erasing->found_count < ERASE_MAX_COUNT &&
	       erasing->found_bytes < ERASE_MAX_BYTES &&
	       bytes < LOOK_MAX_BYTES) {
		int64_t before_ms = erasing->erasure->before_ms;

		status = sql_next(store, row);
		if (status != STORE_OK)
			break;
		*seq = sqlite3_column_int64(row, 0);
		erasing->counts->looked_at++;
		if (before_ms > 0 && sqlite3_column_int64(row, 2) >= before_ms)
			continue;
		bytes += sqlite3_column_int64(row, 1);
		if (find_in(erasing, row, 3, mention_find) == MENTION_NOT)
			continue;
		erasing->found[erasing->found_count++] = *seq;
		erasing->found_bytes += sqlite3_column_int64(row, 1);
	}
	status = end_rows(row, status);
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

/* A destination to which it is pending. STORE_GONE: there is none. */
static enum store_status
find_pending(struct store *store, int64_t seq, int64_t *destination)
{
	enum store_status status;
	sqlite3_stmt *statement =
	    sql_prepare(store, "SELECT destination FROM deliveries "
			       "WHERE seq = ?1 AND state = 0 LIMIT 1");

	sqlite3_bind_int64(statement, 1, seq);
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	*destination = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return STORE_OK;
}

static enum store_status
drop_pending(struct store *store, int64_t seq)
{
	int64_t destination = 0, now_ms = clock_wall_ms();
	enum store_status status;

	while ((status = find_pending(store, seq, &destination)) == STORE_OK) {
		status = drop_delivery(
		    store, seq, destination, DELIVERY_PENDING, now_ms);
		assert(status != STORE_GONE);
		if (status != STORE_OK)
			return status;
	}
	return status == STORE_GONE ? STORE_OK : status;
}

static enum store_status
erase_one(struct store *store, int64_t seq, struct erase_counts *counts)
{
	int64_t body_bytes = 0;
	enum store_status status = count_event(store, seq, counts);

	if (status == STORE_OK)
		status = drop_pending(store, seq);
	if (status == STORE_OK)
		status = erase_event(store, seq, &body_bytes);
	return status;
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

static enum store_status
count_found(struct store *store, struct erasing *erasing)
{
	enum store_status status = STORE_OK;
	size_t i;

	for (i = 0; i < erasing->found_count && status == STORE_OK; i++) {
		status = count_event(store, erasing->found[i], erasing->counts);
		if (status == STORE_GONE)
			status = STORE_OK;
	}
	return status;
}

/* Those that were there at the beginning. */
static enum store_status
erase_events(struct store *store, struct erasing *erasing)
{
	int64_t seq = 0, last = 0;
	enum store_status status = sql_read_int64(
	    store, "SELECT coalesce(max(seq), 0) FROM events", &last);

	if (status == STORE_OK)
		status = sql_read_int64(store,
		    "SELECT coalesce((SELECT max(seq) FROM events), 0) - "
		    "erased_events FROM progress",
		    &erasing->counts->to_look_at);
	while (status == STORE_OK && goes_on(erasing)) {
		status = look_at_events(store, erasing, &seq, last);
		if (status != STORE_OK || erasing->found_count == 0)
			continue;
		status = is_dry(erasing) ? count_found(store, erasing)
					 : erase_found(store, erasing);
	}
	return status == STORE_GONE ? STORE_OK : status;
}

/* ---- refused bodies: few ---- */

/* The next one after `*seq` that is asked for. STORE_GONE: there is none. */
static enum store_status
find_refusal(struct store *store, struct erasing *erasing, int64_t *seq,
    enum mention_found *found)
{
	int64_t before_ms = erasing->erasure->before_ms;
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
	if (before_ms == 0 || sqlite3_column_int64(row, 1) < before_ms)
		*found = find_in(erasing, row, 2, mention_find);
	sqlite3_reset(row);
	return STORE_OK;
}

static enum store_status
erase_refused(struct store *store, int64_t seq)
{
	enum store_status status = store_begin(store, store_deadline(store));

	if (status != STORE_OK)
		return status;
	status = erase_refusal(store, seq);
	if (status == STORE_OK)
		return store_commit(store);
	store_rollback(store);
	return status;
}

static enum store_status
erase_refusals(struct store *store, struct erasing *erasing)
{
	enum mention_found found = MENTION_NOT;
	enum store_status status = STORE_OK;
	int64_t seq = 0;

	while (status == STORE_OK && goes_on(erasing)) {
		status = find_refusal(store, erasing, &seq, &found);
		if (status != STORE_OK || found == MENTION_NOT)
			continue;
		if (!is_dry(erasing))
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
	int64_t before_ms = erasing->erasure->before_ms;
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
		if ((before_ms == 0 ||
			sqlite3_column_int64(row, 3) < before_ms) &&
		    find_in(erasing, row, 4, mention_find_text) != MENTION_NOT)
			found[erasing->found_count++] = *key;
	}
	status = end_rows(row, status);
	return status == STORE_OK && !is_any ? STORE_GONE : status;
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

static enum store_status
erase_answers(struct store *store, struct erasing *erasing)
{
	struct attempt_key found[ERASE_MAX_COUNT], key = {0};
	enum store_status status = STORE_OK;

	while (
	    status == STORE_OK && asks_for_text(erasing) && goes_on(erasing)) {
		status = look_at_answers(store, erasing, &key, found);
		if (status != STORE_OK || erasing->found_count == 0)
			continue;
		if (!is_dry(erasing))
			status = empty_answers(store, erasing, found);
		if (status == STORE_OK)
			erasing->counts->answers +=
			    (int64_t)erasing->found_count;
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
	    .mention = {erasure->ticket, erasure->note, erasure->email}};
	enum store_status status;

	*counts = (struct erase_counts){.is_clean = true};
	if (!asks_for_text(&erasing) && erasure->before_ms <= 0)
		return store_say(store, STORE_REFUSED,
		    "nothing says what to erase: a ticket, a note, an e-mail "
		    "address or a time is needed");
	if (is_empty(erasure->ticket) || is_empty(erasure->note) ||
	    is_empty(erasure->email))
		return store_say(store, STORE_REFUSED,
		    "a ticket, a note or an e-mail address is empty");
	status = erase_events(store, &erasing);
	if (status == STORE_OK)
		status = erase_refusals(store, &erasing);
	if (status == STORE_OK)
		status = erase_answers(store, &erasing);
	/* Also where nothing was found: the last time somebody may have been in
	 * the way. */
	if (!is_dry(&erasing)) {
		enum store_status cleaned = clean(store, &erasing);

		if (status == STORE_OK)
			status = cleaned;
	}
	return status;
}
