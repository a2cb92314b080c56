/*
 * Judges attempts: see judge.h.
 */
#include "config.h"

#include "relay/judge.h"

#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "relay/queue.h"
#include "relay/schedule.h"

uint32_t
judge_random(void)
{
	uint32_t number = 0;

	while (getrandom(&number, sizeof number, 0) < 0 && errno == EINTR)
		continue;
	return number;
}

/* Returns when the first attempt began that counts towards retry_for. */
static int64_t
first_attempt_ms(const struct claim *claim)
{
	return claim->due.attempts_counted > 0 ? claim->due.first_attempt_ms
					       : claim->begun_at_ms;
}

/* Schedules the next attempt or declares the delivery dead. Never dead while
 * paused: the operator decides. */
static void
schedule(struct claim *claim, const struct schedule_failure *failure)
{
	if (!claim->queue->health.is_paused && schedule_is_dead(failure)) {
		claim->outcome = OUTCOME_DEAD;
		return;
	}
	claim->outcome = OUTCOME_RETRY;
	claim->next_at_ms = schedule_next_at(failure);
	if (failure->asked_ms > 0)
		claim->asked_until_ms = failure->now_ms + failure->asked_ms;
	if (health_is_concerned(claim->result.status))
		claim->failed_at_ms = failure->now_ms;
}

static void
judge_failure(struct claim *claim, int64_t now_ms)
{
	struct queue *queue = claim->queue;
	struct schedule_failure failure = {
	    .attempts = claim->due.attempts_counted + 1,
	    .first_attempt_ms = first_attempt_ms(claim),
	    .held_ms = claim->due.held_ms,
	    .now_ms = now_ms,
	    .retry_for_ms = queue->destination->retry_for_ms,
	    .asked_ms = schedule_read_retry_after(
		claim->result.retry_after, clock_wall_ms()),
	    .random = judge_random()};
	struct health_failure blow = {.seq = claim->due.seq,
	    .is_probe = claim->is_probe,
	    .status = claim->result.status,
	    .first_attempt_ms = failure.first_attempt_ms,
	    .started_at_ms = claim->begun_at_ms,
	    .now_ms = now_ms,
	    .asked_ms = failure.asked_ms,
	    .random = failure.random};
	int64_t hold_until_ms = queue->health.hold_until_ms;

	claim->news = health_fail(&queue->health, &blow);
	claim->is_silent = queue->health.is_down && !claim->news.is_down;
	queue->is_pause_unsaved |= claim->news.is_paused;
	queue->is_hold_unsaved |= queue->health.hold_until_ms != hold_until_ms;
	schedule(claim, &failure);
}

/* Handles a fault of this machine, no fault of the delivery or destination. */
static void
bear_fault(struct claim *claim)
{
	claim->outcome = OUTCOME_ABANDONED;
	claim->is_fault_new =
	    queue_rest(claim->queue, claim->result.our_fault, clock_mono_ms());
}

void
judge_attempt(struct claim *claim, int64_t now_ms)
{
	struct queue *queue = claim->queue;

	if (claim->result.our_fault != NULL) {
		bear_fault(claim);
		return;
	}
	if (claim->is_trial)
		queue->rest_mono_ms = 0;
	if (claim->result.is_delivered) {
		claim->outcome = OUTCOME_DELIVERED;
		claim->news = health_succeed(&queue->health, now_ms);
	} else {
		judge_failure(claim, now_ms);
	}
	if (claim->news.is_back && claim->is_probe)
		queue->probe_number = claim->probe_number;
	if (claim->news.is_back)
		queue_bring_failed(queue, claim->news.since_ms, now_ms);
}
