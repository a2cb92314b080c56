/*
 * The destinations as they are configured now, and those that are not any
 * more but have attempts under way. What stands between a destination and its
 * deliveries (pauses, holds, waits for a next attempt) is kept in step with
 * the spool here.
 */
#ifndef HOOKSPOOL_DESTINATIONS_H
#define HOOKSPOOL_DESTINATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

struct config;
struct queue;

struct destinations {
	struct queue **queues; /* one for each that is configured */
	size_t count;
	struct queue *leaving;   /* not configured any more */
	bool is_behind_possible; /* something may wait behind others although
				    nothing is ordered any more */
};

/* Tells the spool the destinations of the configuration and makes queues for
 * them, the first time or anew: one that was there goes on with what it has
 * in its hands, and what failed is tried again now. On anything but STORE_OK
 * nothing has changed. */
enum store_status destinations_load(struct destinations *destinations,
    struct store *store, const struct config *config);

/* Assumes that nothing is claimed. NULL-safe members. */
void destinations_free(struct destinations *destinations);

/* Frees those that left and have nothing under way any more. */
void destinations_sweep(struct destinations *destinations);

/* How many attempts can be under way at once. */
int destinations_in_flight_max(const struct destinations *destinations);

/* Lets all be looked at again. */
void destinations_look_again(struct destinations *destinations);

/* A body was freed: those that wait for memory are looked at again. */
void destinations_end_short(struct destinations *destinations);

/* Writes down new pauses and holds. */
enum store_status destinations_save(
    struct destinations *destinations, struct store *store);

/* Reads what was paused and resumed. Assumes that all is saved. */
enum store_status destinations_read(
    struct destinations *destinations, struct store *store);

/* Makes due what waits for its next attempt where that is asked for, and what
 * is behind others for no reason any more: one step of each. */
enum store_status destinations_hurry(
    struct destinations *destinations, struct store *store);

/* Whether there is more for destinations_hurry. */
bool destinations_has_hurry(const struct destinations *destinations);

/* Whether to route more events now. Not while every destination that may be
 * tried has all the attempts under way that it may have: a long backlog of new
 * events is routed as it is needed, and slows down no delivery. */
bool destinations_want_more(
    const struct destinations *destinations, int64_t now_ms);

#endif
