/*
 * Erasing on request, by ticket, note, e-mail address or time: events, refused
 * bodies, and what destinations answered to other events. Looks without the
 * lock, a page of rows at a time, and erases in short transactions the rows
 * that were found; passes over a row that somebody else erased meanwhile. An
 * event goes whatever its state: its pending deliveries are dropped, and then
 * it is erased as retention erases.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"
#include "event/mention.h"
#include "spool/tx.h"

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
	bool has_mention; /* `mention` asks for something */
	bool is_stopped;  /* by the caller */
};

/* The events that one look found. */
struct found_events {
	int64_t seqs[ERASE_MAX_COUNT];
	size_t count;
	int64_t bytes; /* of their bodies */
};

/* An attempt that has an answer. */
struct attempt_key {
	int64_t seq;
	int64_t destination;
	int64_t number;
};

struct found_answers {
	struct attempt_key keys[ERASE_MAX_COUNT];
	size_t count;
};

static bool
asks_for_text(const struct erasing *erasing)
{
	return erasing->has_mention || erasing->erasure->match != NULL;
}

static bool
is_dry(const struct erasing *erasing)
{
	return erasing->options->mode == CHANGE_COUNT;
}

/* Reports the progress. False: the caller says to stop. */
static bool
goes_on(struct erasing *erasing)
{
	const struct erase_options *options = erasing->options;

	if (!erasing->is_stopped && options->progress != NULL)
		erasing->is_stopped =
		    !options->progress(options->progress_arg, erasing->counts);
	return !erasing->is_stopped;
}

/* Whether a text was received in time and is one of those asked for; `find` is
 * mention_find or mention_find_text. */
static enum mention_found
judge(const struct erasing *erasing, int64_t received_at_ms,
    const struct sql_bytes *text,
    enum mention_found (*find)(
	const char *text, size_t len, const struct mention *what))
{
	const char *match = erasing->erasure->match;

	if (!filter_is_before(&erasing->erasure->before, received_at_ms))
		return MENTION_NOT;
	if (!asks_for_text(erasing))
		return MENTION_MEMBER;
	if (text->bytes == NULL ||
	    (match != NULL && !mention_has_text(text->bytes, text->len, match)))
		return MENTION_NOT;
	return erasing->has_mention
		   ? find(text->bytes, text->len, &erasing->mention)
		   : MENTION_MEMBER;
}

/* ---- events ---- */

/* Whether an event that stays mentions the person all the same. */
static bool
is_mentioned(const struct erasing *erasing, const struct sql_bytes *body)
{
	const struct erasure *erasure = erasing->erasure;

	return body->bytes != NULL && erasure->email != NULL &&
	       erasure->ticket == NULL && erasure->note == NULL &&
	       erasure->match == NULL &&
	       mention_has_text(body->bytes, body->len, erasure->email);
}

/* Looks at events before `*seq`, the newest first, until enough are found or
 * looked at; `*seq` gets the last one. False: there were none. */
static bool
look_at_events(struct tx *tx, struct erasing *erasing, int64_t *seq,
    struct found_events *found)
{
	int64_t bytes = 0, received_at_ms;
	const struct time_bound *before = &erasing->erasure->before;
	struct sql_bytes body;
	bool is_any = false;

	found->count = 0;
	found->bytes = 0;
	tx_ask(tx,
	    "SELECT seq, received_at_ms, body FROM events "
	    "WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
	    *seq, LOOK_MAX_COUNT);
	while (found->count < ERASE_MAX_COUNT &&
	       found->bytes < ERASE_MAX_BYTES && bytes < LOOK_MAX_BYTES &&
	       tx_next(tx, seq, &received_at_ms, &body)) {
		is_any = true;
		erasing->counts->looked_at++;
		if (!filter_is_before(before, received_at_ms))
			continue;
		bytes += (int64_t)body.len;
		if (judge(erasing, received_at_ms, &body, mention_find) ==
		    MENTION_NOT) {
			erasing->counts->mentioned +=
			    is_mentioned(erasing, &body);
			continue;
		}
		found->seqs[found->count++] = *seq;
		found->bytes += (int64_t)body.len;
	}
	tx_stop(tx);
	return is_any;
}

/* Counts an event as it is now. False: it is gone. */
static bool
count_event(struct tx *tx, int64_t seq, struct erase_counts *counts)
{
	int64_t is_new = 0, pending = 0;

	if (!tx_get(tx,
		"SELECT seq > (SELECT routed_seq FROM progress), "
		"(SELECT count(*) FROM deliveries "
		"WHERE deliveries.seq = ?1 AND state = 0) "
		"FROM events WHERE seq = ?1",
		seq, &is_new, &pending))
		return false;
	counts->events++;
	counts->events_new += is_new;
	counts->undelivered += pending;
	return true;
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
erase_found(struct store *store, struct erasing *erasing,
    const struct found_events *found)
{
	struct erase_counts counts = *erasing->counts;
	struct tx tx = tx_begin(store);
	int64_t body_bytes;
	size_t i;

	for (i = 0; i < found->count; i++) {
		if (!count_event(&tx, found->seqs[i], &counts))
			continue;
		drop_pending(&tx, found->seqs[i]);
		erase_event(&tx, found->seqs[i], &body_bytes);
	}
	if (tx_end(&tx) == STORE_OK)
		*erasing->counts = counts;
	return tx.status;
}

/* Shows an event to the caller, unless it is gone. */
static void
show_event(struct tx *tx, struct erasing *erasing, int64_t seq)
{
	const struct erase_options *options = erasing->options;
	struct delivery_row *deliveries = NULL;
	struct event_row event;
	size_t count = 0;

	if (query_read_event(tx, seq, &event)) {
		query_read_deliveries(tx, seq, &deliveries, &count);
		if (tx_is_ok(tx) && !options->each(options->each_arg, &event,
					deliveries, count))
			erasing->is_stopped = true;
	}
	query_free_event(&event);
	query_free_deliveries(deliveries, count);
}

static void
count_found(
    struct tx *tx, struct erasing *erasing, const struct found_events *found)
{
	size_t i;

	for (i = 0; i < found->count; i++)
		if (count_event(tx, found->seqs[i], erasing->counts) &&
		    erasing->options->each != NULL)
			show_event(tx, erasing, found->seqs[i]);
}

/* Goes through the events that were there at the beginning. */
static enum store_status
erase_events(struct store *store, struct erasing *erasing)
{
	struct found_events found;
	struct tx tx = tx_none(store);
	int64_t seq = 0;

	tx_get(&tx, "SELECT coalesce(max(seq), 0) + 1 FROM events", &seq);
	tx_get(&tx,
	    "SELECT coalesce((SELECT max(seq) FROM events), 0) - "
	    "erased_events FROM progress",
	    &erasing->counts->to_look_at);
	while (goes_on(erasing) && look_at_events(&tx, erasing, &seq, &found))
		if (is_dry(erasing))
			count_found(&tx, erasing, &found);
		else if (found.count > 0)
			tx_fail(&tx, erase_found(store, erasing, &found));
	return tx_end(&tx);
}

/* ---- refused bodies: few ---- */

/* Reads the next refusal after `*seq`, and whether it is asked for. */
static bool
next_refusal(struct tx *tx, const struct erasing *erasing, int64_t *seq,
    enum mention_found *found)
{
	int64_t received_at_ms;
	struct sql_bytes body;
	bool is_any;

	tx_ask(tx,
	    "SELECT seq, received_at_ms, body FROM refusals WHERE seq > ?1 "
	    "ORDER BY seq LIMIT 1",
	    *seq);
	is_any = tx_next(tx, seq, &received_at_ms, &body);
	if (is_any)
		*found = judge(erasing, received_at_ms, &body, mention_find);
	tx_stop(tx);
	return is_any;
}

static enum store_status
erase_refused(struct store *store, int64_t seq)
{
	struct tx tx = tx_begin(store);

	erase_refusal(&tx, seq);
	return tx_end(&tx);
}

static enum store_status
erase_refusals(struct store *store, struct erasing *erasing)
{
	enum mention_found found = MENTION_NOT;
	struct tx tx = tx_none(store);
	int64_t seq = 0;

	while (goes_on(erasing) && next_refusal(&tx, erasing, &seq, &found)) {
		if (found == MENTION_NOT)
			continue;
		if (!is_dry(erasing))
			tx_fail(&tx, erase_refused(store, seq));
		if (!tx_is_ok(&tx))
			break;
		erasing->counts->refused++;
		if (found == MENTION_TEXT)
			erasing->counts->refused_text++;
	}
	return tx_end(&tx);
}

/* ---- answers of destinations to other events ---- */

/* Looks at the next answers after `*key`. False: there were none. */
static bool
look_at_answers(struct tx *tx, const struct erasing *erasing,
    struct attempt_key *key, struct found_answers *found)
{
	int64_t started_at_ms;
	struct sql_bytes answer;
	bool is_any = false;

	found->count = 0;
	tx_ask(tx,
	    "SELECT seq, destination, number, started_at_ms, answer "
	    "FROM attempts WHERE (seq, destination, number) > (?1, ?2, ?3) "
	    "AND answer IS NOT NULL "
	    "ORDER BY seq, destination, number LIMIT ?4",
	    key->seq, key->destination, key->number, LOOK_MAX_COUNT);
	while (found->count < ERASE_MAX_COUNT &&
	       tx_next(tx, &key->seq, &key->destination, &key->number,
		   &started_at_ms, &answer)) {
		is_any = true;
		if (judge(erasing, started_at_ms, &answer, mention_find_text) !=
		    MENTION_NOT)
			found->keys[found->count++] = *key;
	}
	tx_stop(tx);
	return is_any;
}

/* Leaves out the answers to an event that would be erased itself. */
static void
leave_out_erased(
    struct tx *tx, const struct erasing *erasing, struct found_answers *found)
{
	int64_t received_at_ms;
	struct sql_bytes body;
	size_t i, count = found->count;

	for (i = 0; i < count; i++) {
		tx_ask(tx,
		    "SELECT received_at_ms, body FROM events WHERE seq = ?1",
		    found->keys[i].seq);
		if (tx_next(tx, &received_at_ms, &body) &&
		    judge(erasing, received_at_ms, &body, mention_find) !=
			MENTION_NOT)
			found->count--;
		tx_stop(tx);
	}
}

static enum store_status
empty_answers(struct store *store, const struct found_answers *found)
{
	struct tx tx = tx_begin(store);
	size_t i;

	for (i = 0; i < found->count; i++) {
		const struct attempt_key *key = &found->keys[i];

		tx_run(&tx,
		    "UPDATE attempts SET answer = zeroblob(length(answer)) "
		    "WHERE seq = ?1 AND destination = ?2 AND number = ?3",
		    key->seq, key->destination, key->number);
		tx_run(&tx,
		    "UPDATE attempts SET answer = NULL "
		    "WHERE seq = ?1 AND destination = ?2 AND number = ?3",
		    key->seq, key->destination, key->number);
	}
	return tx_end(&tx);
}

static enum store_status
erase_answers(struct store *store, struct erasing *erasing)
{
	struct attempt_key key = {0};
	struct found_answers found;
	struct tx tx = tx_none(store);

	while (asks_for_text(erasing) && goes_on(erasing) &&
	       look_at_answers(&tx, erasing, &key, &found)) {
		if (is_dry(erasing))
			leave_out_erased(&tx, erasing, &found);
		else if (found.count > 0)
			tx_fail(&tx, empty_answers(store, &found));
		if (tx_is_ok(&tx))
			erasing->counts->answers += (int64_t)found.count;
	}
	return tx_end(&tx);
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
	/* After a reader in the way, or a full disk: the rows are erased. */
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
	if (!asks_for_text(&erasing) && !erasure->before.is_given)
		return store_say(store, STORE_REFUSED,
		    "nothing says what to erase: a ticket, a note, an e-mail "
		    "address or a time is needed");
	if (is_empty(erasure->ticket) || is_empty(erasure->note) ||
	    is_empty(erasure->email) || is_empty(erasure->match))
		return store_say(store, STORE_REFUSED,
		    "a ticket, a note, an e-mail address or a text is empty");
	if (erasure->match != NULL && !is_dry(&erasing))
		return store_say(store, STORE_REFUSED,
		    "a text is looked for in a dry run only");
	status = erase_events(store, &erasing);
	if (status == STORE_OK)
		status = erase_refusals(store, &erasing);
	if (status == STORE_OK)
		status = erase_answers(store, &erasing);
	/* Also where nothing was found: a reader may have been in the way of
	 * the last cleaning. */
	if (!is_dry(&erasing)) {
		enum store_status cleaned = clean(store, &erasing);

		if (status == STORE_OK)
			status = cleaned;
	}
	return status;
}
