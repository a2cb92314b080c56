/*
 * Routing: see routing.h.
 */
#include "config.h"

#include "relay/routing.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "conf/match.h"
#include "relay/destinations.h"
#include "relay/queue.h"

#define BATCH_MAX 128 /* events in one transaction */

enum store_status
routing_begin(struct routing *routing, struct store *store)
{
	routing->is_new_possible = true;
	return store_read_routed(store, &routing->routed_seq);
}

/* Adds the event's routes, and marks the destinations worth a look. */
static size_t
match(const struct destinations *destinations, const struct new_event *event,
    struct route *routes)
{
	size_t i, count = 0;

	for (i = 0; i < destinations->count; i++) {
		struct queue *queue = destinations->queues[i];

		if (!destination_wants(
			queue->destination, event->type, event->community))
			continue;
		routes[count++] =
		    (struct route){.seq = event->seq, .destination = queue->id};
		queue->is_worth_a_look = true;
	}
	return count;
}

static enum store_status
route_events(struct routing *routing, struct store *store,
    struct destinations *destinations, const struct new_event *events,
    size_t event_count)
{
	struct route *routes =
	    xcalloc(event_count * destinations->count, sizeof *routes);
	int64_t through_seq = events[event_count - 1].seq;
	enum store_status status;
	size_t i, count = 0;

	for (i = 0; i < event_count; i++)
		count += match(destinations, &events[i], routes + count);
	status =
	    store_route(store, routing->routed_seq, through_seq, routes, count);
	if (status == STORE_OK) {
		routing->routed_seq = through_seq;
	} else if (status == STORE_GONE) { /* another process routed them */
		destinations_look_again(destinations);
		status = store_read_routed(store, &routing->routed_seq);
	}
	free(routes);
	return status;
}

enum store_status
routing_step(struct routing *routing, struct store *store,
    struct destinations *destinations)
{
	struct new_event *events = NULL;
	enum store_status status;
	size_t count = 0;

	/* Stop if another spool replaced this one: events go there now. */
	status = store_check_files(store);
	if (status != STORE_OK)
		return status;
	status = store_read_new(store, BATCH_MAX, &events, &count);
	if (status != STORE_OK)
		return status;
	if (count == 0)
		routing->is_new_possible = false;
	else
		status =
		    route_events(routing, store, destinations, events, count);
	store_free_new(events, count);
	return status;
}
