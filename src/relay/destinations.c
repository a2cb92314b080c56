/*
 * The destinations: see destinations.h.
 */
#include "config.h"

#include "relay/destinations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "relay/note.h"
#include "relay/queue.h"

#define HURRY_MAX_COUNT 1000 /* deliveries examined per transaction */
#define PAUSE_REASON    "it answered 410 Gone"

/* ---- loading a configuration ---- */

/* Takes the queue of that number from the old ones; NULL: none. */
static struct queue *
take(struct destinations *old, int64_t id)
{
	struct queue **link = &old->leaving;
	struct queue *queue = NULL;
	size_t i;

	for (i = 0; i < old->count; i++) {
		if (old->queues[i] == NULL || old->queues[i]->id != id)
			continue;
		queue = old->queues[i];
		old->queues[i] = NULL;
		return queue;
	}
	while (*link != NULL && (*link)->id != id)
		link = &(*link)->next;
	queue = *link;
	if (queue != NULL) {
		*link = queue->next;
		queue->next = NULL;
	}
	return queue;
}

static struct queue *
make_queue(struct destinations *old, const struct config *config,
    const struct destination_config *destination,
    const struct destination *kept, int64_t now_ms)
{
	struct queue *queue = take(old, kept->id);
	bool is_reload = old->queues != NULL;

	if (queue != NULL) {
		queue_change(queue, config, destination);
	} else {
		queue = queue_new(config, destination, kept->id);
		if (kept->down_since_ms != 0)
			health_stay_down(&queue->health, kept->down_since_ms);
		if (is_reload)
			note_configured(queue, true);
	}
	/* The reload may have corrected a fault, so retry what failed. */
	if (is_reload) {
		queue_bring_all(queue, FORWARD_ALL, now_ms);
		health_retry_now(&queue->health);
	}
	return queue;
}

/* Retires a queue that is no longer configured, to be freed once idle. */
static void
leave(struct destinations *destinations, struct queue *queue)
{
	note_configured(queue, false);
	queue->next = destinations->leaving;
	destinations->leaving = queue;
}

enum store_status
destinations_load(struct destinations *destinations, struct store *store,
    const struct config *config)
{
	size_t i, count = config->destination_count;
	struct destination *kept = xcalloc(count, sizeof *kept);
	struct destinations old = *destinations;
	enum store_status status;

	status =
	    store_set_destinations(store, config->destinations, count, kept);
	if (status != STORE_OK)
		goto out;
	destinations->queues = xcalloc(count, sizeof(struct queue *));
	destinations->count = count;
	for (i = 0; i < count; i++)
		destinations->queues[i] = make_queue(&old, config,
		    &config->destinations[i], &kept[i], store_now_ms(store));
	destinations->leaving = old.leaving;
	for (i = 0; i < old.count; i++)
		if (old.queues[i] != NULL)
			leave(destinations, old.queues[i]);
	free(old.queues);
	destinations_sweep(destinations);
	destinations->is_behind_possible = true;
out:
	free(kept);
	return status;
}

void
destinations_free(struct destinations *destinations)
{
	size_t i;

	for (i = 0; i < destinations->count; i++)
		queue_free(destinations->queues[i]);
	free(destinations->queues);
	destinations_sweep(destinations);
	assert(destinations->leaving == NULL);
	*destinations = (struct destinations){.queues = NULL};
}

void
destinations_sweep(struct destinations *destinations)
{
	struct queue **link = &destinations->leaving;

	while (*link != NULL) {
		struct queue *queue = *link;

		if (queue->claimed_count > 0) {
			link = &queue->next;
			continue;
		}
		*link = queue->next;
		queue_free(queue);
	}
}

int
destinations_in_flight_max(const struct destinations *destinations)
{
	int sum = 0;
	size_t i;

	for (i = 0; i < destinations->count; i++)
		sum += destinations->queues[i]->destination->concurrency;
	return sum;
}

void
destinations_look_again(struct destinations *destinations)
{
	size_t i;

	for (i = 0; i < destinations->count; i++)
		destinations->queues[i]->is_worth_a_look = true;
}

void
destinations_end_short(struct destinations *destinations)
{
	size_t i;

	for (i = 0; i < destinations->count; i++)
		destinations->queues[i]->is_short = false;
}

/* ---- pauses and holds ---- */

static enum store_status
save_pause(struct queue *queue, struct store *store)
{
	enum store_status status;

	if (!queue->is_pause_unsaved)
		return STORE_OK;
	status =
	    store_pause(store, queue->destination->name, NULL, PAUSE_REASON);
	if (status == STORE_REFUSED) /* an operator was faster */
		status = STORE_OK;
	if (status == STORE_OK)
		queue->is_pause_unsaved = false;
	return status;
}

static enum store_status
save_hold(struct queue *queue, struct store *store)
{
	enum store_status status;

	if (!queue->is_hold_unsaved)
		return STORE_OK;
	status = store_hold(store, queue->id, queue->health.hold_until_ms);
	if (status == STORE_OK)
		queue->is_hold_unsaved = false;
	return status;
}

/* Saves whether the destination is down, only for readers of the spool. */
static enum store_status
save_down(struct queue *queue, struct store *store)
{
	const struct health *health = &queue->health;
	int64_t since_ms = health->is_down ? health->failing_since_ms : 0;
	int64_t probe_at_ms = health->is_down ? health->probe_at_ms : 0;
	enum store_status status;

	if (health->is_down && probe_at_ms == 0)
		return STORE_OK; /* the probe is due at once */
	if (queue->noted_probe_ms == probe_at_ms)
		return STORE_OK;
	status = store_note_down(store, queue->id, since_ms, probe_at_ms);
	if (status == STORE_OK)
		queue->noted_probe_ms = probe_at_ms;
	return status;
}

static enum store_status
save_retry(struct queue *queue, struct store *store)
{
	enum store_status status;

	if (!queue->is_retry_unended || queue->is_forward_due)
		return STORE_OK;
	status = store_end_retry(store, queue->id, queue->retry_number);
	if (status == STORE_OK)
		queue->is_retry_unended = false;
	return status;
}

enum store_status
destinations_save(struct destinations *destinations, struct store *store)
{
	enum store_status status = STORE_OK;
	size_t i;

	for (i = 0; i < destinations->count && status == STORE_OK; i++) {
		status = save_pause(destinations->queues[i], store);
		if (status == STORE_OK)
			status = save_hold(destinations->queues[i], store);
		if (status == STORE_OK)
			status = save_down(destinations->queues[i], store);
		if (status == STORE_OK)
			status = save_retry(destinations->queues[i], store);
	}
	return status;
}

/* Carries out an operator's request to retry at once: a probe, or everything as
 * if nothing had failed. */
static void
take_retry(struct queue *queue, const struct destination *kept, int64_t now_ms)
{
	queue->retry_number = kept->retry_number;
	queue->is_retry_unended = true;
	queue->is_worth_a_look = true;
	health_retry_now(&queue->health);
	if (kept->retry != RETRY_ALL)
		return;
	note_resumed(queue);
	health_forget(&queue->health);
	queue_bring_all(queue, FORWARD_EVEN_ASKED, now_ms);
}

static void
take_state(struct queue *queue, const struct destination *kept, int64_t now_ms)
{
	struct health *health = &queue->health;
	bool is_paused = kept->paused_at_ms != 0;
	bool was_paused = health->is_paused;

	health->is_paused = is_paused;
	health->hold_until_ms = kept->hold_until_ms;
	if (is_paused && !was_paused)
		note_paused(queue, kept->pause_reason);
	else if (!is_paused && kept->retry != RETRY_NOT_ASKED &&
		 kept->retry_number != queue->retry_number)
		take_retry(queue, kept, now_ms);
}

enum store_status
destinations_read(struct destinations *destinations, struct store *store)
{
	struct destination *kept = NULL;
	enum store_status status;
	size_t i, j, count = 0;

	status = store_read_destinations(store, &kept, &count);
	for (i = 0; i < count; i++)
		for (j = 0; j < destinations->count; j++)
			if (destinations->queues[j]->id == kept[i].id)
				take_state(destinations->queues[j], &kept[i],
				    store_now_ms(store));
	store_free_destinations(kept, count);
	return status;
}

/* ---- making deliveries due ---- */

static enum store_status
bring_forward(struct queue *queue, struct store *store)
{
	enum store_status status;
	bool is_more = false;

	if (!queue->is_forward_due)
		return STORE_OK;
	status = store_bring_forward(
	    store, queue->id, &queue->forward, HURRY_MAX_COUNT, &is_more);
	if (status != STORE_OK)
		return status;
	queue->is_forward_due = is_more;
	queue->is_worth_a_look = true;
	return STORE_OK;
}

enum store_status
destinations_hurry(struct destinations *destinations, struct store *store)
{
	enum store_status status = STORE_OK;
	size_t i;

	for (i = 0; i < destinations->count && status == STORE_OK; i++)
		status = bring_forward(destinations->queues[i], store);
	if (status != STORE_OK || !destinations->is_behind_possible)
		return status;
	status = store_release_behind(store, &destinations->is_behind_possible);
	destinations_look_again(destinations);
	return status;
}

bool
destinations_has_hurry(const struct destinations *destinations)
{
	size_t i;

	for (i = 0; i < destinations->count; i++)
		if (destinations->queues[i]->is_forward_due)
			return true;
	return destinations->is_behind_possible;
}

bool
destinations_want_more(const struct destinations *destinations, int64_t now_ms)
{
	bool is_any_busy = false;
	size_t i;

	for (i = 0; i < destinations->count; i++) {
		const struct queue *queue = destinations->queues[i];

		if (queue_is_blocked(queue, now_ms))
			continue;
		if (queue_has_room(queue) && !queue->is_short)
			return true;
		is_any_busy = true;
	}
	return !is_any_busy;
}
