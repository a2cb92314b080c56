/*
 * What the relay has in its hands: for each destination the deliveries it has
 * claimed. Memory only: a crash leaves nothing to clean up. Knows neither
 * libcurl nor the spool's functions.
 */
#ifndef HOOKSPOOL_QUEUE_H
#define HOOKSPOOL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/deliver.h"
#include "spool/spool.h"

struct destination_config;
struct queue;

/* One claimed delivery: under way until it has an outcome, then waiting to be
 * settled. */
struct claim {
	struct queue *queue;
	struct due due; /* owned; its body only while under way */
	int64_t started_at_ms;
	struct deliver_result result;
	enum outcome outcome;
	int64_t next_at_ms;
	struct claim *next; /* among those that wait to be settled */
};

/* One destination. */
struct queue {
	const struct destination_config *destination; /* borrowed */
	int64_t id;       /* the spool's number of it */
	int64_t *claimed; /* the seqs in our hands, for store_read_due */
	size_t claimed_count;
	bool is_worth_a_look; /* something may be due that we do not know */
	int64_t next_at_ms;   /* else: when the next one is; INT64_MAX: never */
	/* For the log: */
	int failures; /* attempts that failed since the last that did not */
	int64_t failing_since_ms;
};

/* So many failures in a row, and a destination is called down. */
#define QUEUE_DOWN_FAILURES 3

/* Makes it empty and worth a look. */
void queue_init(struct queue *queue,
    const struct destination_config *destination, int64_t id);
/* Assumes that nothing is claimed. */
void queue_free(struct queue *queue);

/* Whether one more may be claimed: `concurrency` bounds what is under way
 * and what waits to be settled together. */
bool queue_has_room(const struct queue *queue);

/* Claims a delivery; takes over what `due` owns. */
struct claim *queue_claim(struct queue *queue, struct due *due);

/* Lets go of what it needed while it was under way. */
void queue_slim(struct claim *claim);

/* Ends the claim and frees it; its destination is worth a look. */
void queue_release(struct claim *claim);

/* How long until it is worth looking for something to claim: 0: now. */
int64_t queue_wait_ms(const struct queue *queue, int64_t now_ms);

#endif
