/*
 * Routing: new events, in capture order, become deliveries to the destinations
 * that want them. Only these destinations are examined again.
 */
#ifndef HOOKSPOOL_ROUTING_H
#define HOOKSPOOL_ROUTING_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

struct destinations;

struct routing {
	int64_t routed_seq;   /* events up to this one are routed */
	bool is_new_possible; /* an unrouted event may exist */
};

/* Reads where to continue, and assumes new events. */
enum store_status routing_begin(struct routing *routing, struct store *store);

/* Routes one batch. is_new_possible stays set if there may be another. */
enum store_status routing_step(struct routing *routing, struct store *store,
    struct destinations *destinations);

#endif
