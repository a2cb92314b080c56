/*
 * How a destination fares: whether it is up or down, paused or held, and when
 * it may be tried. No answer, 408, 429 and 5xx speak of the destination; any
 * other answer proves that it is there and concerns its delivery alone. Five
 * failures in a row that speak of it, of five deliveries, and it is down: then
 * one attempt at a time probes it, with a back-off of at most some five
 * minutes, until it answers. Pure: the clock and the random number are handed
 * in.
 */
#ifndef HOOKSPOOL_HEALTH_H
#define HOOKSPOOL_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_DOWN_FAILURES 5
#define HEALTH_PROBE_STEPS   7 /* of the back-off: 5 s to 320 s */
#define HEALTH_SAY_EVERY_MS  (3600 * INT64_C(1000)) /* while it is down */
#define HEALTH_HOLD_SAY_MS   60000 /* between two holds that are told */

struct health {
	bool is_paused; /* by the operator, or by its own 410 */
	bool is_down;
	int failures; /* in a row, those that count */
	int64_t failing_seqs[HEALTH_DOWN_FAILURES]; /* their deliveries */
	int probes;               /* that failed since it went down */
	int64_t failing_since_ms; /* when the first of `failures` began */
	int64_t last_there_ms;    /* when it last proved to be there; 0: not
				     that we know */
	int64_t probe_at_ms;      /* while down: no attempt before */
	int64_t hold_until_ms;    /* Retry-After; 0: not held */
	int64_t said_at_ms;       /* when `is_down` was last told */
	int64_t hold_said_at_ms;
};

/* What an attempt has changed; for the log. */
struct health_news {
	bool is_down;
	bool is_still_down; /* an hour has passed */
	bool is_back;
	bool is_held;     /* worth a line */
	bool is_paused;   /* by a 410 */
	int64_t since_ms; /* it fails, or failed, since then */
	int failures;     /* and so often, probes included */
};

/* An attempt that has failed. */
struct health_failure {
	int64_t seq;              /* which delivery */
	bool is_probe;            /* was begun while the destination was down */
	int status;               /* HTTP status; 0: no answer */
	int64_t first_attempt_ms; /* when the delivery's first attempt began;
				     this one is perhaps that */
	int64_t started_at_ms;    /* this attempt */
	int64_t now_ms;
	int64_t asked_ms; /* by schedule_read_retry_after; 0 or less: nothing */
	uint32_t random;
};

/* Whether a failed attempt says something of the destination, and not of its
 * delivery alone; `status` as in struct health_failure. */
bool health_is_concerned(int status);

/* Counts a failure. A 410 pauses, a Retry-After with 429 or 503 holds. One that
 * does not speak of the destination proves that it is up. Of the others these
 * do not count: a second one of the same delivery in a row (a body that is
 * never taken must not keep what comes after it waiting for a probe); one of a
 * delivery that was tried already before the destination last proved to be
 * there, which has a reason of its own; those that were under way when it went
 * down. */
struct health_news health_fail(
    struct health *health, const struct health_failure *failure);

/* Counts a success: the destination is up. */
struct health_news health_succeed(struct health *health, int64_t now_ms);

/* It was down when the last relay ended, since then: it is probed at once. */
void health_stay_down(struct health *health, int64_t since_ms);

/* A destination that is down is to be probed at once, for something about it
 * may have been mended. */
void health_retry_now(struct health *health);

/* What failed before counts no more: the operator has resumed it. */
void health_forget(struct health *health);

/* How long until it may be tried; 0: now; INT64_MAX: not until it is resumed.
 * As schedule_wait_ms, a time further ahead than any wait is now. */
int64_t health_wait_ms(const struct health *health, int64_t now_ms);

/* How many attempts may be under way, of `concurrency`. */
int health_limit(const struct health *health, int concurrency);

#endif
