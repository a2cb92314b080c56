/*
 * Replays and drops the deliveries that a filter selects: looks without the
 * lock, then changes a few in one transaction, each only if it is still in the
 * state that was seen. So neither readers nor writers wait long, however much
 * is changed.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "spool/select.h"
#include "spool/tx.h"

#define STEP_MAX_MS 20 /* a transaction, without its commit */

enum verb { VERB_REPLAY, VERB_DROP };

struct change {
	enum verb verb;
	const struct list_filter *filter;
	const struct change_options *options;
	struct change_counts *counts;
	struct selection selection;
	int64_t *touched; /* destinations, see store_touched */
	size_t touched_count;
};

/* What a look gave. */
struct batch {
	struct candidate found[SELECT_MAX_COUNT];
	size_t count;
};

/* ---- what is asked for ---- */

static void
choose_default(struct change *change)
{
	bool *is_chosen = change->selection.is_chosen;
	bool is_one = change->options->event_id != NULL;

	change->selection.is_any_chosen = change->filter->destination == NULL;
	if (change->verb == VERB_DROP) {
		is_chosen[DELIVERY_PENDING] = true;
		is_chosen[DELIVERY_ORPHANED] = true;
		is_chosen[DELIVERY_DEAD] = is_one;
		return;
	}
	/* To another destination: it does not matter how far they came. */
	is_one = is_one || change->options->to != NULL;
	is_chosen[DELIVERY_DEAD] = true;
	is_chosen[DELIVERY_PENDING] = is_one;
	is_chosen[DELIVERY_DELIVERED] = is_one;
	is_chosen[DELIVERY_DROPPED] = is_one;
	is_chosen[DELIVERY_ORPHANED] = change->options->to != NULL;
}

static enum store_status
choose_states(struct store *store, struct change *change)
{
	const char *name = list_state_name(change->filter->state);
	enum delivery_state state;

	if (change->filter->state == LIST_STATE_ANY) {
		choose_default(change);
		return STORE_OK;
	}
	if (!filter_delivery_state(change->filter, &state))
		return store_say(store, STORE_REFUSED,
		    "no delivery is ever in the state \"%s\"", name);
	if (change->verb == VERB_DROP &&
	    (state == DELIVERY_DELIVERED || state == DELIVERY_DROPPED))
		return store_say(store, STORE_REFUSED,
		    "%s deliveries cannot be dropped; write pending, orphaned "
		    "or dead",
		    name);
	if (change->verb == VERB_REPLAY && change->options->to == NULL &&
	    state == DELIVERY_ORPHANED)
		return store_say(store, STORE_REFUSED,
		    "orphaned deliveries wait for their destination; configure "
		    "it again, or replay them with --from and --to");
	change->selection.is_chosen[state] = true;
	return STORE_OK;
}

static enum store_status
find_to(struct store *store, struct change *change)
{
	const char *to = change->options->to;
	struct tx tx = tx_none(store);

	if (to == NULL)
		return STORE_OK;
	assert(change->verb == VERB_REPLAY);
	if (!tx_get(&tx,
		"SELECT id FROM destinations WHERE name = ?1 "
		"AND is_configured",
		to, &change->selection.to))
		tx_say(&tx, STORE_REFUSED,
		    "the relay has loaded no destination \"%s\"", to);
	return tx_end(&tx);
}

static enum store_status
start(struct store *store, struct change *change)
{
	enum store_status status = choose_states(store, change);

	if (status == STORE_OK)
		status = find_to(store, change);
	if (status == STORE_OK)
		status = select_start(store, &change->selection);
	return status;
}

/* ---- changing ---- */

/* A delivered or dropped event goes to `to` again only if the operator asked
 * for that state: so a replay of the past can be repeated. */
static bool
is_repeat_asked(const struct change *change, const struct candidate *candidate)
{
	if (candidate->state == DELIVERY_DEAD)
		return true;
	return change->options->to == NULL ||
	       change->options->event_id != NULL ||
	       (change->filter->state != LIST_STATE_ANY &&
		   change->selection.is_chosen[candidate->state]);
}

/* Chooses the count of a candidate, and with it what is done. */
static int64_t *
judge(const struct change *change, const struct candidate *candidate)
{
	struct change_counts *counts = change->counts;

	if (change->verb == VERB_DROP)
		return &counts->dropped;
	if (!candidate->is_configured)
		return &counts->removed;
	if (candidate->state == NO_DELIVERY)
		return &counts->made;
	if (candidate->state == DELIVERY_PENDING && candidate->is_behind)
		return &counts->behind;
	if (candidate->state == DELIVERY_PENDING)
		return candidate->is_waiting ? &counts->hurried : &counts->due;
	return is_repeat_asked(change, candidate) ? &counts->replayed
						  : &counts->passed_over;
}

/* False: the delivery is no longer as it was seen. */
static bool
make_change(struct tx *tx, const struct change_counts *counts,
    const int64_t *count, const struct candidate *candidate)
{
	int64_t now_ms = store_now_ms(tx->store);
	int64_t seq = candidate->seq, destination = candidate->destination;
	enum delivery_state state = (enum delivery_state)candidate->state;

	if (count == &counts->dropped)
		return drop_delivery(tx, seq, destination, state, now_ms);
	if (count == &counts->made)
		return replay_make(tx, seq, destination, now_ms);
	if (count == &counts->hurried)
		return replay_hurry(tx, seq, destination, now_ms);
	if (count == &counts->replayed)
		return replay_delivery(tx, seq, destination, state, now_ms);
	return true;
}

/* Remembers the destination of a replayed candidate for store_touched. */
static void
touch(struct change *change, const struct candidate *candidate,
    const int64_t *counted)
{
	const struct change_counts *counts = change->counts;
	size_t i;

	if (change->verb != VERB_REPLAY || counted == &counts->passed_over ||
	    counted == &counts->removed)
		return;
	for (i = change->touched_count; i > 0; i--)
		if (change->touched[i - 1] == candidate->destination)
			return;
	change->touched = xreallocarray(change->touched,
	    change->touched_count + 1, sizeof *change->touched);
	change->touched[change->touched_count++] = candidate->destination;
}

static bool
is_enough(const struct change *change)
{
	const struct change_counts *counts = change->counts;
	size_t limit = change->filter->limit;

	return limit > 0 &&
	       (size_t)(counts->replayed + counts->made + counts->hurried +
			counts->dropped) >= limit;
}

/* Goes through a batch from `*done` on until `until_ms` (clock_mono_ms), one
 * candidate at least; `*done` gets how far. */
static void
change_found(struct tx *tx, struct change *change, const struct batch *batch,
    int64_t until_ms, size_t *done)
{
	do {
		const struct candidate *candidate = &batch->found[*done];
		int64_t *counted = judge(change, candidate);

		if (change->options->mode == CHANGE_MAKE &&
		    !make_change(tx, change->counts, counted, candidate))
			counted = &change->counts->passed_over;
		++*counted;
		touch(change, candidate, counted);
		++*done;
	} while (tx_is_ok(tx) && *done < batch->count && !is_enough(change) &&
		 clock_mono_ms() < until_ms);
}

static enum store_status
change_step(struct store *store, struct change *change,
    const struct batch *batch, size_t *done)
{
	struct change_counts before = *change->counts;
	bool is_dry = change->options->mode == CHANGE_COUNT;
	struct tx tx = is_dry ? tx_none(store) : tx_begin(store);

	change_found(&tx, change, batch,
	    is_dry ? INT64_MAX : clock_mono_ms() + STEP_MAX_MS, done);
	if (tx_end(&tx) != STORE_OK)
		*change->counts = before;
	return tx.status;
}

/* ---- all of it ---- */

static bool
goes_on(const struct change *change)
{
	const struct change_options *options = change->options;

	return !is_enough(change) &&
	       (options->progress == NULL ||
		   options->progress(options->progress_arg, change->counts));
}

/* STORE_GONE: the limit is reached, or the caller said to stop. */
static enum store_status
change_batch(
    struct store *store, struct change *change, const struct batch *batch)
{
	enum store_status status = STORE_OK;
	size_t done = 0;

	do {
		if (batch->count > 0)
			status = change_step(store, change, batch, &done);
		if (status == STORE_OK && !goes_on(change))
			status = STORE_GONE;
	} while (status == STORE_OK && done < batch->count);
	return status;
}

static enum store_status
change_selected(struct store *store, struct change *change)
{
	enum store_status status;
	struct batch batch;

	do {
		status = select_next(
		    store, &change->selection, batch.found, &batch.count);
		if (status == STORE_OK)
			status = change_batch(store, change, &batch);
	} while (status == STORE_OK);
	return status == STORE_GONE ? STORE_OK : status;
}

/* Tells the destinations, also after a failure: some may have been changed. */
static enum store_status
tell_touched(struct store *store, const struct change *change)
{
	const struct change_options *options = change->options;
	enum store_status status = STORE_OK;
	size_t i;

	if (change->touched_count > 0 && options->mode == CHANGE_MAKE)
		status = hold_ask_probes(
		    store, change->touched, change->touched_count);
	for (i = 0; i < change->touched_count; i++)
		if (options->touched != NULL)
			options->touched(
			    options->touched_arg, change->touched[i]);
	return status;
}

static enum store_status
change_all(struct store *store, struct change *change)
{
	const struct change_options *options = change->options;
	enum store_status status, told;

	memset(change->counts, 0, sizeof *change->counts);
	change->selection = (struct selection){.filter = change->filter,
	    .event_id = options->event_id,
	    .wants = options->wants,
	    .wants_arg = options->wants_arg};
	status = start(store, change);
	if (status == STORE_OK)
		status = change_selected(store, change);
	select_end(&change->selection);
	told = tell_touched(store, change);
	free(change->touched);
	return status == STORE_OK ? told : status;
}

enum store_status
store_replay(struct store *store, const struct list_filter *filter,
    const struct change_options *options, struct change_counts *counts)
{
	struct change change = {.verb = VERB_REPLAY,
	    .filter = filter,
	    .options = options,
	    .counts = counts};

	return change_all(store, &change);
}

enum store_status
store_drop(struct store *store, const struct list_filter *filter,
    const struct change_options *options, struct change_counts *counts)
{
	struct change change = {.verb = VERB_DROP,
	    .filter = filter,
	    .options = options,
	    .counts = counts};

	return change_all(store, &change);
}
