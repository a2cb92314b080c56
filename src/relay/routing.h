/*
 * Routing: new events, in capture order, become deliveries to those
 * destinations that want them. What it costs beside is for these destinations
 * alone: no other is looked at again.
 */
#ifndef HOOKSPOOL_ROUTING_H
#define HOOKSPOOL_ROUTING_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

struct destinations;

struct routing {
	int64_t routed_seq;   /* events up to here are routed */
	bool is_new_possible; /* an event may wait to be routed */
};

/* Reads where to go on, and takes new events for possible. */
enum store_status routing_begin(struct routing *routing, struct store *store);

/* Routes one batch; is_new_possible stays where there may be another. */
enum store_status routing_step(struct routing *routing, struct store *store,
    struct destinations *destinations);

#endif
