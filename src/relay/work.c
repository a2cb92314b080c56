/*
 * The relay's work: see work.h.
 */
#include "config.h"

#include "relay/work.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "deliver/deliver.h"
#include "relay/judge.h"
#include "relay/note.h"
#include "relay/queue.h"
#include "relay/schedule.h"

#define SETTLE_BATCH_MAX 256 /* outcomes per transaction */
#define TROUBLE_PAUSE_MS 1000

/* How often to save the time, from which waits continue after another boot. */
#define NOTE_CLOCK_MS      60000
#define NOTE_IDLE_CLOCK_MS 3600000

_Static_assert(DELIVER_ANSWER_MAX_BYTES == ANSWER_MAX_BYTES,
    "the spool keeps what an attempt keeps");

/* ---- open, reload and close ---- */

enum store_status
work_open(struct work *work, const struct config *config, struct store *store)
{
	enum store_status status;

	*work = (struct work){.store = store,
	    .bodies = {.budget_bytes = BODIES_MAX_BYTES},
	    .is_state_unread = true};
	work->finished_end = &work->finished;
	status = destinations_load(&work->destinations, store, config);
	if (status == STORE_OK)
		status = routing_begin(&work->routing, store);
	if (status != STORE_OK) {
		destinations_free(&work->destinations);
		return status;
	}
	work->deliver =
	    deliver_new(destinations_in_flight_max(&work->destinations));
	return STORE_OK;
}

enum store_status
work_reload(struct work *work, const struct config *config)
{
	enum store_status status =
	    destinations_load(&work->destinations, work->store, config);

	if (status != STORE_OK)
		return status;
	deliver_set_in_flight_max(
	    work->deliver, destinations_in_flight_max(&work->destinations));
	work_look_again(work);
	return STORE_OK;
}

static void
forget_finished(struct work *work)
{
	struct claim *claim;

	while ((claim = work->finished) != NULL) {
		work->finished = claim->next;
		queue_release(claim);
	}
	work->finished_end = &work->finished;
}

void
work_close(struct work *work)
{
	if (work == NULL || work->deliver == NULL)
		return;
	work_abandon(work);
	forget_finished(work);
	destinations_free(&work->destinations);
	deliver_free(work->deliver);
	work->deliver = NULL;
}

void
work_look_for_new(struct work *work)
{
	work->routing.is_new_possible = true;
}

void
work_look_again(struct work *work)
{
	work->routing.is_new_possible = true;
	work->is_state_unread = true;
	destinations_look_again(&work->destinations);
}

/* ---- the end of an attempt ---- */

static void
finish(struct work *work, struct claim *claim)
{
	if (claim->previous != NULL)
		claim->previous->next = claim->next;
	else
		work->flying = claim->next;
	if (claim->next != NULL)
		claim->next->previous = claim->previous;
	queue_slim(claim);
	claim->next = NULL;
	*work->finished_end = claim;
	work->finished_end = &claim->next;
}

static void
collect(struct work *work)
{
	struct deliver_result result;
	struct claim *claim;

	while ((claim = deliver_next(work->deliver, &result)) != NULL) {
		claim->result = result;
		judge_attempt(claim, store_now_ms(work->store));
		finish(work, claim);
	}
}

void
work_abandon(struct work *work)
{
	struct deliver_result result;
	struct claim *claim;

	collect(work);
	while ((claim = deliver_abandon(work->deliver, &result)) != NULL) {
		result.error[0] = '\0'; /* no failure */
		claim->result = result;
		claim->outcome =
		    result.is_delivered ? OUTCOME_DELIVERED : OUTCOME_ABANDONED;
		finish(work, claim);
	}
}

/* Breaks off the attempts of erased events, so that no more of them is sent. */
static enum store_status
break_off_erased(struct work *work)
{
	enum store_status status;
	struct claim *claim, *next;
	int64_t erased_events = 0;
	bool is_done = false, is_there = true;

	status = store_read_erased(work->store, &erased_events, &is_done);
	if (status != STORE_OK || is_done)
		return status;
	for (claim = work->flying; claim != NULL; claim = next) {
		next = claim->next;
		status =
		    store_has_event(work->store, claim->due.seq, &is_there);
		if (status != STORE_OK)
			return status;
		if (is_there ||
		    !deliver_break_off(work->deliver, claim, &claim->result))
			continue;
		claim->outcome = OUTCOME_ABANDONED;
		finish(work, claim);
	}
	return store_note_seen(work->store, erased_events);
}

/* ---- settle ---- */

/* Counts the deliveries that wait for the destination; -1: unknown. */
static int64_t
count_waiting(struct work *work, const struct queue *queue)
{
	struct destination *states = NULL;
	size_t i, count = 0;
	int64_t waiting = -1;

	if (store_read_destinations(work->store, &states, &count) != STORE_OK)
		return -1;
	for (i = 0; i < count; i++)
		if (states[i].id == queue->id)
			waiting = states[i].pending;
	store_free_destinations(states, count);
	return waiting;
}

static void
release_settled(struct work *work, const struct settlement *batch, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct claim *claim = work->finished;

		work->finished = claim->next;
		note_outcome(claim, batch[i].is_applied);
		if (note_has_news(claim))
			note_news(claim, work->store,
			    count_waiting(work, claim->queue));
		queue_release(claim);
	}
	if (work->finished == NULL)
		work->finished_end = &work->finished;
	destinations_sweep(&work->destinations);
}

static enum store_status
settle(struct work *work)
{
	struct settlement batch[SETTLE_BATCH_MAX];
	enum store_status status = STORE_OK;

	while (work->finished != NULL && status == STORE_OK) {
		struct claim *claim = work->finished;
		size_t count = 0;

		for (; claim != NULL && count < SETTLE_BATCH_MAX;
		     claim = claim->next)
			batch[count++] = queue_settlement(claim);
		status = store_settle(work->store, batch, count);
		if (status == STORE_OK)
			release_settled(work, batch, count);
	}
	return status;
}

/* ---- claim ---- */

static void
start(struct work *work, struct claim *claim)
{
	struct deliver_request request = {
	    .destination = claim->queue->destination,
	    .id = claim->due.id,
	    .event_type = claim->due.type,
	    .content_type = claim->due.content_type,
	    .body = claim->body->bytes,
	    .body_bytes = claim->body->len,
	    .attempt = claim->due.attempts + 1,
	    .now_ms = clock_wall_ms()};

	claim->started_at_ms = request.now_ms;
	claim->begun_at_ms = store_now_ms(work->store);
	claim->next = work->flying;
	if (claim->next != NULL)
		claim->next->previous = claim;
	work->flying = claim;
	deliver_start(work->deliver, &request, claim);
}

/* Starts what is due, unless its body must wait for memory, or was erased. */
static enum store_status
begin(struct work *work, struct queue *queue, struct due *due)
{
	struct body *body = NULL;
	enum store_status status = bodies_take(
	    &work->bodies, work->store, due, queue->body_count == 0, &body);

	if (body != NULL) {
		start(work, queue_claim(queue, due, body));
		return STORE_OK;
	}
	store_free_due(due);
	queue->is_short = status == STORE_OK;
	return status == STORE_GONE ? STORE_OK : status;
}

static enum store_status
find_next(struct work *work, struct queue *queue)
{
	queue->is_worth_a_look = false;
	if (queue->health.is_down)
		return store_read_probe_at(work->store, queue->id,
		    store_now_ms(work->store), &queue->next_at_ms);
	return store_read_next_at(work->store, queue->id, queue->claimed,
	    queue->claimed_count, &queue->next_at_ms);
}

/* Starts the single probe of a down destination. */
static enum store_status
claim_probe(struct work *work, struct queue *queue)
{
	struct probe_choice choice = {.which = queue_probe_turn(queue),
	    .last_seq = queue->probe_seq,
	    .random = judge_random()};
	struct due due = {.seq = 0};
	enum store_status status;

	if (!queue_has_room(queue))
		return STORE_OK;
	status = store_read_probe(
	    work->store, queue->id, &choice, store_now_ms(work->store), &due);
	if (status == STORE_OK)
		return begin(work, queue, &due);
	return status == STORE_GONE ? find_next(work, queue) : status;
}

/* Claims and starts due deliveries until there is no room or none is due. */
static enum store_status
claim_due(struct work *work, struct queue *queue)
{
	enum store_status status = STORE_OK;
	struct due due = {.seq = 0};

	if (queue_is_blocked(queue, store_now_ms(work->store)))
		return find_next(work, queue);
	if (queue->health.is_down)
		return claim_probe(work, queue);
	while (
	    status == STORE_OK && queue_has_room(queue) && !queue->is_short) {
		status = store_read_due(work->store, queue->id,
		    store_now_ms(work->store), SCHEDULE_AHEAD_MAX_MS,
		    queue->claimed, queue->claimed_count, &due);
		if (status == STORE_OK)
			status = begin(work, queue, &due);
	}
	return status == STORE_GONE ? find_next(work, queue) : status;
}

static enum store_status
claim(struct work *work)
{
	enum store_status status = STORE_OK;
	int64_t now_ms = store_now_ms(work->store);
	size_t i;

	if (work->bodies.is_freed)
		destinations_end_short(&work->destinations);
	work->bodies.is_freed = false;
	for (i = 0; i < work->destinations.count && status == STORE_OK; i++) {
		struct queue *queue = work->destinations.queues[i];

		if (queue_wait_ms(queue, now_ms) == 0)
			status = claim_due(work, queue);
	}
	return status;
}

static bool
is_routing_due(const struct work *work)
{
	return work->routing.is_new_possible &&
	       destinations_want_more(
		   &work->destinations, store_now_ms(work->store));
}

/* ---- a turn ---- */

static int64_t
next_wait_ms(const struct work *work)
{
	int64_t now_ms = store_now_ms(work->store);
	int64_t wait_ms = INT64_MAX;
	size_t i;

	if (work->retry_mono_ms != 0) {
		wait_ms = work->retry_mono_ms - clock_mono_ms();
		return wait_ms > 0 ? wait_ms : 0;
	}
	if (work->is_closing)
		return INT64_MAX;
	if (is_routing_due(work) || work->is_state_unread ||
	    destinations_has_hurry(&work->destinations))
		return 0;
	for (i = 0; i < work->destinations.count; i++) {
		int64_t one_ms =
		    queue_wait_ms(work->destinations.queues[i], now_ms);

		if (one_ms < wait_ms)
			wait_ms = one_ms;
	}
	return wait_ms;
}

/* Saves new pauses and holds, then reads those of others, and erasures. */
static enum store_status
exchange_states(struct work *work)
{
	enum store_status status =
	    destinations_save(&work->destinations, work->store);

	if (status == STORE_OK && work->is_state_unread)
		status = destinations_read(&work->destinations, work->store);
	if (status == STORE_OK && work->is_state_unread)
		status = break_off_erased(work);
	if (status == STORE_OK)
		work->is_state_unread = false;
	return status;
}

static enum store_status
use_spool(struct work *work)
{
	enum store_status status = note_clock(work->store,
	    work_is_idle(work) ? NOTE_IDLE_CLOCK_MS : NOTE_CLOCK_MS);

	if (status == STORE_OK)
		status = settle(work);
	if (status == STORE_OK)
		status = exchange_states(work);
	if (status != STORE_OK || work->is_closing)
		return status;
	status = destinations_hurry(&work->destinations, work->store);
	if (status == STORE_OK)
		status = claim(work);
	if (status != STORE_OK || !is_routing_due(work))
		return status;
	status = routing_step(&work->routing, work->store, &work->destinations);
	return status == STORE_OK ? claim(work) : status;
}

/* Retries after a passing failure, logged once. */
static enum store_status
bear(struct work *work, enum store_status status)
{
	switch (status) {
	case STORE_OK:
		if (work->retry_mono_ms != 0)
			log_plain(
			    LOG_LEVEL_NOTICE, "the spool can be used again");
		work->retry_mono_ms = 0;
		return STORE_OK;
	case STORE_BUSY:
	case STORE_FULL:
		if (work->retry_mono_ms == 0)
			log_note(LOG_LEVEL_WARN, "the spool cannot be used now",
			    LOG_TEXT("reason", store_why(work->store)));
		work->retry_mono_ms = clock_mono_ms() + TROUBLE_PAUSE_MS;
		return STORE_OK;
	case STORE_FAILED:
	case STORE_MISSING:
	case STORE_REFUSED:
	case STORE_TOO_OLD:
	case STORE_TOO_NEW:
	case STORE_GONE:
		break;
	}
	return STORE_FAILED;
}

enum store_status
work_turn(struct work *work, int64_t *wait_ms)
{
	enum store_status status = STORE_OK;

	collect(work);
	if (work->retry_mono_ms <= clock_mono_ms())
		status = bear(work, use_spool(work));
	*wait_ms = next_wait_ms(work);
	return status;
}

bool
work_is_unfinished(const struct work *work)
{
	return work->flying != NULL || work->finished != NULL;
}

bool
work_is_idle(const struct work *work)
{
	size_t i;

	if (work_is_unfinished(work) || work->routing.is_new_possible ||
	    work->is_state_unread || work->retry_mono_ms != 0 ||
	    destinations_has_hurry(&work->destinations))
		return false;
	for (i = 0; i < work->destinations.count; i++)
		if (queue_has_more(work->destinations.queues[i]))
			return false;
	return true;
}
