/*
 * The relay's state in memory: each destination's health and claimed
 * deliveries. A crash leaves nothing to clean up. Knows neither libcurl nor the
 * spool's functions.
 */
#ifndef HOOKSPOOL_QUEUE_H
#define HOOKSPOOL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/deliver.h"
#include "relay/health.h"
#include "spool/spool.h"

struct body;
struct config;
struct destination_config;
struct queue;

/* A claimed delivery: flying until its outcome, then waiting to be settled. */
struct claim {
	struct queue *queue;
	const struct config *config; /* the configuration at its start */
	struct due due;              /* owned */
	struct body *body;           /* one use of the body; while flying */
	bool is_probe;               /* begun while the destination was down */
	unsigned probe_number;       /* of a probe: see struct queue */
	bool is_trial; /* begun after a rest, to try whether attempts can be
			  made again */
	int64_t started_at_ms; /* wall clock; other times are in the spool's
				  time */
	int64_t begun_at_ms;
	struct deliver_result result;
	enum outcome outcome;
	int64_t next_at_ms;   /* these three for OUTCOME_RETRY, as in */
	int64_t failed_at_ms; /* struct settlement */
	int64_t asked_until_ms;
	struct health_news news; /* what the attempt changed */
	bool is_silent;          /* do not log the failure: destination is
				    down */
	bool is_fault_new;       /* result.our_fault is new, worth a line */
	struct claim *next;      /* among flying claims, or claims to settle */
	struct claim *previous;  /* among flying claims */
};

/* One destination. */
struct queue {
	const struct config *config; /* of `destination` */
	const struct destination_config *destination;
	int64_t id;       /* the spool's number of the destination */
	int64_t *claimed; /* claimed seqs, for store_read_due */
	size_t claimed_count;
	size_t body_count; /* of flying claims */
	bool is_short;     /* of memory: waits until a body is freed */
	struct health health;
	bool is_worth_a_look;   /* an unknown delivery may be due */
	int64_t next_at_ms;     /* otherwise: when the next delivery is due or
				   can be a probe; INT64_MAX: never */
	struct forward forward; /* waiting deliveries to make due, */
	bool is_forward_due;    /* if there are any */
	int64_t probe_seq;      /* the last probe; 0: none */
	unsigned probe_number;  /* of the next probe, selects its turn. After
				   a probe found the destination up, the next
				   outage begins with that probe's turn. */
	int64_t retry_number;   /* of the last retry request taken */
	bool is_retry_unended;  /* the spool does not know yet that the
				   request was carried out */
	int64_t rest_mono_ms;   /* after a fault of this machine: no attempts
				   until then, afterwards one at a time; 0:
				   no fault */
	const char *said_fault; /* last fault logged; NULL: none */
	int64_t said_fault_mono_ms;
	bool is_pause_unsaved; /* not in the spool yet */
	bool is_hold_unsaved;
	int64_t noted_probe_ms; /* probe time in the spool; 0: none; -1:
				   unknown */
	struct queue *next;     /* among former destinations */
};

/* Makes an empty queue, worth a look. */
struct queue *queue_new(const struct config *config,
    const struct destination_config *destination, int64_t id);
/* Frees the queue. Nothing may be claimed. */
void queue_free(struct queue *queue);

/* Switches to a newer configuration of the destination. */
void queue_change(struct queue *queue, const struct config *config,
    const struct destination_config *destination);

/* Returns whether one more delivery may be claimed. `concurrency`, or one
 * probe, bounds flying claims and claims to settle together. */
bool queue_has_room(const struct queue *queue);

/* Returns whether the queue rests, or its destination is paused, held or waits
 * for a probe. */
bool queue_is_blocked(const struct queue *queue, int64_t now_ms);

/* Returns whether something may be due now or later; never while paused. */
bool queue_has_more(const struct queue *queue);

/* Make deliveries that wait for a next attempt due now: those that failed
 * between the two times, or all. A request in progress continues if it covers
 * as much. */
void queue_bring_failed(struct queue *queue, int64_t since_ms, int64_t now_ms);
void queue_bring_all(
    struct queue *queue, enum forward_which which, int64_t now_ms);

/* Returns which delivery is the next probe. */
enum probe_turn queue_probe_turn(const struct queue *queue);

/* Claims a delivery. Takes over what `due` owns, and one use of `body`. */
struct claim *queue_claim(
    struct queue *queue, struct due *due, struct body *body);

/* Rests the queue after an attempt failed by a fault of this machine. Returns
 * true if the fault should be logged. */
bool queue_rest(struct queue *queue, const char *fault, int64_t mono_ms);

/* Frees what the claim needed only while flying. */
void queue_slim(struct claim *claim);

/* Returns the claim's settlement for the spool; borrows from the claim. */
struct settlement queue_settlement(const struct claim *claim);

/* Ends and frees the claim, and marks its destination worth a look. */
void queue_release(struct claim *claim);

/* Returns the wait until a look for something to claim; 0: now. */
int64_t queue_wait_ms(const struct queue *queue, int64_t now_ms);

#endif
