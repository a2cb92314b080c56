/*
 * The configured destinations, and former ones with running attempts. Keeps
 * pauses, holds and waits for next attempts in step with the spool.
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
	struct queue **queues; /* one per configured destination */
	size_t count;
	struct queue *leaving;   /* no longer configured */
	bool is_behind_possible; /* a delivery may wait behind another
				    although its destination is no longer
				    ordered */
};

/* Tells the spool the configured destinations and makes their queues, at the
 * start or at a reload. At a reload, existing queues keep their claims and
 * retry what failed. Changes nothing unless STORE_OK. */
enum store_status destinations_load(struct destinations *destinations,
    struct store *store, const struct config *config);

/* Frees the queues. Nothing may be claimed. Works on zeroed members. */
void destinations_free(struct destinations *destinations);

/* Frees former destinations without running attempts. */
void destinations_sweep(struct destinations *destinations);

/* Returns how many attempts can run at once. */
int destinations_in_flight_max(const struct destinations *destinations);

/* Marks all queues worth a look. */
void destinations_look_again(struct destinations *destinations);

/* Lets queues that wait for memory look again, after a body was freed. */
void destinations_end_short(struct destinations *destinations);

/* Saves new pauses and holds. */
enum store_status destinations_save(
    struct destinations *destinations, struct store *store);

/* Reads pauses and resumes. Everything must be saved before. */
enum store_status destinations_read(
    struct destinations *destinations, struct store *store);

/* Makes deliveries due, one step of each kind: retries asked for, and
 * deliveries that wait behind others without need. */
enum store_status destinations_hurry(
    struct destinations *destinations, struct store *store);

/* Returns whether destinations_hurry has more to do. */
bool destinations_has_hurry(const struct destinations *destinations);

/* Returns whether to route more events now. Not while every usable destination
 * runs all the attempts it may: a long backlog of new events is routed as
 * needed, and slows down no delivery. */
bool destinations_want_more(
    const struct destinations *destinations, int64_t now_ms);

#endif
