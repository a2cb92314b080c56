/*
 * What the relay has in its hands: for each destination how it fares, and the
 * deliveries that are claimed. Memory only: a crash leaves nothing to clean
 * up. Knows neither libcurl nor the spool's functions.
 */
#ifndef HOOKSPOOL_QUEUE_H
#define HOOKSPOOL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/deliver.h"
#include "relay/health.h"
#include "spool/spool.h"

struct body;
struct config;
struct destination_config;
struct queue;

/* One claimed delivery: under way until it has an outcome, then waiting to be
 * settled. */
struct claim {
	struct queue *queue;
	const struct config *config; /* the configuration it was begun with */
	struct due due;              /* owned */
	struct body *body;           /* one user of it; while under way */
	bool is_probe;               /* begun while the destination was down */
	unsigned probe_number;       /* if so: see struct queue */
	bool is_trial; /* begun after a rest: whether attempts can be made */
	int64_t started_at_ms; /* by the wall clock; all else is in the spool's
				  time */
	int64_t begun_at_ms;
	struct deliver_result result;
	enum outcome outcome;
	int64_t next_at_ms;   /* these three for OUTCOME_RETRY, as in */
	int64_t failed_at_ms; /* struct settlement */
	int64_t asked_until_ms;
	struct health_news news; /* what the attempt changed */
	bool is_silent;          /* its failure is no news: it is down */
	bool is_fault_new;       /* result.our_fault is, and worth a line */
	struct claim *next;      /* among those that are under way, or that
				    wait to be settled */
	struct claim *previous;  /* among those that are under way */
};

/* One destination. */
struct queue {
	const struct config *config; /* of `destination` */
	const struct destination_config *destination;
	int64_t id;       /* the spool's number of it */
	int64_t *claimed; /* the seqs in our hands, for store_read_due */
	size_t claimed_count;
	size_t body_count; /* of those claimed that are under way */
	bool is_short;     /* of memory: waits until a body is freed */
	struct health health;
	bool is_worth_a_look; /* something may be due that we do not know */
	int64_t next_at_ms;   /* else: when the next one is, or can be a probe;
				 INT64_MAX: never */
	struct forward forward; /* what waits and is to be made due, */
	bool is_forward_due;    /* if there is any */
	int64_t probe_seq;      /* of the last probe; 0: none */
	unsigned probe_number;  /* of the next one: says whose turn it is. The
				   turn that brought it back comes first when
				   it is down again. */
	int64_t retry_number;   /* of the operator's last wish that was taken */
	bool is_retry_unended;  /* the spool does not know that it was done */
	int64_t rest_mono_ms;   /* this machine cannot make attempts: none
				   before, one at a time after; 0: it can */
	const char *said_fault; /* that the log has; NULL: none */
	int64_t said_fault_mono_ms;
	bool is_pause_unsaved; /* the spool does not know of it yet */
	bool is_hold_unsaved;
	int64_t noted_probe_ms; /* the probe that the spool knows of; 0: none;
				   -1: we cannot tell */
	struct queue *next; /* among those that are not configured any more */
};

/* Empty and worth a look. */
struct queue *queue_new(const struct config *config,
    const struct destination_config *destination, int64_t id);
/* Assumes that nothing is claimed. */
void queue_free(struct queue *queue);

/* Goes on with what a newer configuration says of the destination. */
void queue_change(struct queue *queue, const struct config *config,
    const struct destination_config *destination);

/* Whether one more may be claimed: what is under way and what waits to be
 * settled together are bounded by `concurrency`, or by one probe. */
bool queue_has_room(const struct queue *queue);

/* Whether its destination is paused, held or waits for a probe, or rests. */
bool queue_is_blocked(const struct queue *queue, int64_t now_ms);

/* Whether something may be due there, now or later. Of a paused destination
 * nothing is. */
bool queue_has_more(const struct queue *queue);

/* What waits for its next attempt is to be tried now: what failed between these
 * two times, or all of it. What is under way already goes on where it asks for
 * as much. */
void queue_bring_failed(struct queue *queue, int64_t since_ms, int64_t now_ms);
void queue_bring_all(
    struct queue *queue, enum forward_which which, int64_t now_ms);

/* Which delivery is the next probe. */
enum probe_turn queue_probe_turn(const struct queue *queue);

/* Claims a delivery; takes over what `due` owns, and one use of `body`. */
struct claim *queue_claim(
    struct queue *queue, struct due *due, struct body *body);

/* An attempt failed by a fault of this machine: the queue rests for a while.
 * True if the log should tell it. */
bool queue_rest(struct queue *queue, const char *fault, int64_t mono_ms);

/* Lets go of what it needed while it was under way. */
void queue_slim(struct claim *claim);

/* What the spool is told of it; borrows from the claim. */
struct settlement queue_settlement(const struct claim *claim);

/* Ends the claim and frees it; its destination is worth a look. */
void queue_release(struct claim *claim);

/* How long until it is worth looking for something to claim: 0: now. */
int64_t queue_wait_ms(const struct queue *queue, int64_t now_ms);

#endif
