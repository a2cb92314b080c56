/*
 * Claims in memory: see queue.h.
 */
#include "config.h"

#include "relay/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "relay/bodies.h"
#include "relay/schedule.h"

#define REST_MS      5000    /* after a fault of this machine */
#define SAY_EVERY_MS 3600000 /* between two lines about the same fault */

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Makes room for as many claims as `concurrency` allows, or as there are. */
static void
make_room(struct queue *queue)
{
	size_t size = (size_t)queue->destination->concurrency;

	if (size < queue->claimed_count)
		size = queue->claimed_count;
	queue->claimed =
	    xreallocarray(queue->claimed, size, sizeof *queue->claimed);
}

struct queue *
queue_new(const struct config *config,
    const struct destination_config *destination, int64_t id)
{
	struct queue *queue = xcalloc(1, sizeof *queue);

	*queue = (struct queue){.config = config_hold(config),
	    .destination = destination,
	    .id = id,
	    .is_worth_a_look = true,
	    .next_at_ms = INT64_MAX,
	    .noted_probe_ms = -1};
	make_room(queue);
	return queue;
}

void
queue_free(struct queue *queue)
{
	assert(queue->claimed_count == 0);
	config_drop(queue->config);
	free(queue->claimed);
	free(queue);
}

void
queue_change(struct queue *queue, const struct config *config,
    const struct destination_config *destination)
{
	config_hold(config);
	config_drop(queue->config);
	queue->config = config;
	queue->destination = destination;
	queue->is_worth_a_look = true;
	queue->rest_mono_ms = 0;
	queue->said_fault = NULL;
	make_room(queue);
}

bool
queue_has_room(const struct queue *queue)
{
	int limit =
	    health_limit(&queue->health, queue->destination->concurrency);

	if (queue->rest_mono_ms != 0)
		limit = 1;

	return queue->claimed_count < (size_t)limit;
}

static int64_t
rest_wait_ms(const struct queue *queue)
{
	int64_t wait_ms = 0;

	if (queue->rest_mono_ms != 0)
		wait_ms = queue->rest_mono_ms - clock_mono_ms();
	return wait_ms > 0 ? wait_ms : 0;
}

bool
queue_is_blocked(const struct queue *queue, int64_t now_ms)
{
	return health_wait_ms(&queue->health, now_ms) > 0 ||
	       rest_wait_ms(queue) > 0;
}

bool
queue_rest(struct queue *queue, const char *fault, int64_t mono_ms)
{
	bool is_told = queue->said_fault == fault &&
		       mono_ms - queue->said_fault_mono_ms < SAY_EVERY_MS;

	queue->rest_mono_ms = mono_ms + REST_MS;
	if (is_told)
		return false;
	queue->said_fault = fault;
	queue->said_fault_mono_ms = mono_ms;
	return true;
}

bool
queue_has_more(const struct queue *queue)
{
	return queue->is_worth_a_look ||
	       (queue->next_at_ms != INT64_MAX && !queue->health.is_paused);
}

void
queue_bring_failed(struct queue *queue, int64_t since_ms, int64_t now_ms)
{
	if (queue->is_forward_due && queue->forward.which != FORWARD_FAILED)
		return;
	if (queue->is_forward_due && queue->forward.failed_since_ms < since_ms)
		since_ms = queue->forward.failed_since_ms;
	queue->is_forward_due = true;
	queue->forward = (struct forward){.which = FORWARD_FAILED,
	    .failed_since_ms = since_ms,
	    .failed_until_ms = now_ms,
	    .now_ms = now_ms,
	    .from_ms = now_ms};
}

void
queue_bring_all(struct queue *queue, enum forward_which which, int64_t now_ms)
{
	if (queue->is_forward_due && queue->forward.which == FORWARD_EVEN_ASKED)
		which = FORWARD_EVEN_ASKED;
	queue->is_forward_due = true;
	queue->forward = (struct forward){
	    .which = which, .now_ms = now_ms, .from_ms = now_ms};
}

enum probe_turn
queue_probe_turn(const struct queue *queue)
{
	static const enum probe_turn turns[] = {PROBE_TURN_NEWEST,
	    PROBE_TURN_OTHER, PROBE_TURN_OLDEST, PROBE_TURN_OTHER};

	return turns[queue->probe_number % (sizeof turns / sizeof turns[0])];
}

struct claim *
queue_claim(struct queue *queue, struct due *due, struct body *body)
{
	struct claim *claim = xcalloc(1, sizeof *claim);

	assert(queue_has_room(queue));
	queue->claimed[queue->claimed_count++] = due->seq;
	claim->queue = queue;
	claim->config = config_hold(queue->config);
	claim->is_probe = queue->health.is_down;
	claim->is_trial = queue->rest_mono_ms != 0;
	if (claim->is_probe) {
		queue->probe_seq = due->seq;
		claim->probe_number = queue->probe_number++;
	}
	claim->body = body;
	queue->body_count++;
	claim->due = *due;
	*due = (struct due){.seq = 0};
	return claim;
}

void
queue_slim(struct claim *claim)
{
	bodies_drop(claim->body);
	claim->body = NULL;
	claim->queue->body_count--;
	claim->queue->is_short = false; /* may be the last body: look again */
}

/* Returns the error; NULL: none. */
static const char *
error_of(const struct deliver_result *result)
{
	if (result->our_fault != NULL)
		return result->our_fault;
	return result->error[0] != '\0' ? result->error : NULL;
}

struct settlement
queue_settlement(const struct claim *claim)
{
	return (struct settlement){.seq = claim->due.seq,
	    .destination = claim->due.destination,
	    .generation = claim->due.generation,
	    .outcome = claim->outcome,
	    .next_at_ms = claim->next_at_ms,
	    .failed_at_ms = claim->failed_at_ms,
	    .asked_until_ms = claim->asked_until_ms,
	    .begun_at_ms = claim->begun_at_ms,
	    .started_at_ms = claim->started_at_ms,
	    .duration_ms = claim->result.duration_ms,
	    .status = claim->result.status,
	    .error = error_of(&claim->result),
	    .answer = claim->result.answer,
	    .answer_bytes = claim->result.answer_bytes};
}

void
queue_release(struct claim *claim)
{
	struct queue *queue = claim->queue;
	size_t i = 0;

	while (queue->claimed[i] != claim->due.seq) {
		i++;
		assert(i < queue->claimed_count);
	}
	queue->claimed[i] = queue->claimed[--queue->claimed_count];
	queue->is_worth_a_look = true;
	config_drop(claim->config);
	store_free_due(&claim->due);
	free(claim);
}

int64_t
queue_wait_ms(const struct queue *queue, int64_t now_ms)
{
	int64_t health_ms = health_wait_ms(&queue->health, now_ms);
	int64_t due_ms = schedule_wait_ms(queue->next_at_ms, now_ms);

	if (!queue_has_room(queue) || queue->is_short)
		return INT64_MAX;
	if (queue->is_worth_a_look)
		return 0;
	return larger(due_ms, larger(health_ms, rest_wait_ms(queue)));
}
