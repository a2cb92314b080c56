/*
 * Claims in memory: see queue.h.
 */
#include "config.h"

#include "relay/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "config/config.h"
#include "relay/schedule.h"

void
queue_init(struct queue *queue, const struct destination_config *destination,
    int64_t id)
{
	*queue = (struct queue){.destination = destination,
	    .id = id,
	    .is_worth_a_look = true,
	    .next_at_ms = INT64_MAX};
	queue->claimed =
	    xcalloc((size_t)destination->concurrency, sizeof *queue->claimed);
}

void
queue_free(struct queue *queue)
{
	assert(queue->claimed_count == 0);
	free(queue->claimed);
	queue->claimed = NULL;
}

bool
queue_has_room(const struct queue *queue)
{
	return queue->claimed_count < (size_t)queue->destination->concurrency;
}

struct claim *
queue_claim(struct queue *queue, struct due *due)
{
	struct claim *claim = xcalloc(1, sizeof *claim);

	assert(queue_has_room(queue));
	queue->claimed[queue->claimed_count++] = due->seq;
	claim->queue = queue;
	claim->due = *due;
	*due = (struct due){.seq = 0};
	return claim;
}

void
queue_slim(struct claim *claim)
{
	free(claim->due.body);
	claim->due.body = NULL;
	claim->due.body_bytes = 0;
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
	store_free_due(&claim->due);
	free(claim);
}

int64_t
queue_wait_ms(const struct queue *queue, int64_t now_ms)
{
	if (!queue_has_room(queue))
		return INT64_MAX;
	if (queue->is_worth_a_look)
		return 0;
	return schedule_wait_ms(queue->next_at_ms, now_ms);
}
