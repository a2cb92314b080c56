/*
 * A destination's health: up or down, paused, held, and when to try. No answer,
 * 408, 429 and 5xx are faults of the destination. Any other answer proves that
 * the destination is up, and concerns one delivery alone. Five faults in a row,
 * of five deliveries, mean that the destination is down. One attempt at a time
 * then probes it, with a back-off of at most about five minutes, until an
 * answer comes. Pure: clock and random number are arguments.
 */
#ifndef HOOKSPOOL_HEALTH_H
#define HOOKSPOOL_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_DOWN_FAILURES 5
#define HEALTH_PROBE_STEPS   7 /* of the back-off: 5 s to 320 s */
#define HEALTH_SAY_EVERY_MS  (3600 * INT64_C(1000)) /* while down */
#define HEALTH_HOLD_SAY_MS   60000 /* between log lines about holds */

struct health {
	bool is_paused; /* by the operator, or by a 410 */
	bool is_down;
	int failures; /* in a row, only those that count */
	int64_t failing_seqs[HEALTH_DOWN_FAILURES]; /* the deliveries of
						       `failures` */
	int probes;               /* failed probes since going down */
	int64_t failing_since_ms; /* when the first of `failures` began */
	int64_t last_there_ms;    /* last proof of being up; 0: unknown */
	int64_t probe_at_ms;      /* while down: no earlier attempt */
	int64_t hold_until_ms;    /* from Retry-After; 0: not held */
	int64_t said_at_ms;       /* when `is_down` was last logged */
	int64_t hold_said_at_ms;
};

/* Changes by an attempt, for the log. */
struct health_news {
	bool is_down;
	bool is_still_down; /* an hour after the last line */
	bool is_back;
	bool is_held;     /* worth a log line */
	bool is_paused;   /* by a 410 */
	int64_t since_ms; /* failing since, or until now */
	int failures;     /* count since then, probes included */
};

/* A failed attempt. */
struct health_failure {
	int64_t seq;              /* the delivery */
	bool is_probe;            /* begun while the destination was down */
	int status;               /* HTTP status; 0: no answer */
	int64_t first_attempt_ms; /* when the delivery's first attempt began,
				     perhaps this one */
	int64_t started_at_ms;    /* when this attempt began */
	int64_t now_ms;
	int64_t asked_ms; /* from schedule_read_retry_after; 0 or less:
			     nothing */
	uint32_t random;
};

/* Returns whether a failed attempt is a fault of the destination, not only of
 * its delivery; `status` as in struct health_failure. */
bool health_is_concerned(int status);

/* Counts a failure. A 410 pauses; a Retry-After with 429 or 503 holds. An
 * answer that is no fault of the destination proves it is up. Three kinds of
 * faults do not count: a second one of the same delivery in a row (an
 * unacceptable body must not make later deliveries wait for a probe); one of a
 * delivery already tried before the destination last proved to be up, which has
 * another reason; and one of an attempt begun before the destination went
 * down. */
struct health_news health_fail(
    struct health *health, const struct health_failure *failure);

/* Counts a success: the destination is up. */
struct health_news health_succeed(struct health *health, int64_t now_ms);

/* Restores a destination that was down when the last relay ended. Its probe is
 * due at once. */
void health_stay_down(struct health *health, int64_t since_ms);

/* Makes the probe of a down destination due at once, because its fault may have
 * been corrected. */
void health_retry_now(struct health *health);

/* Forgets earlier failures: the operator has resumed the destination. */
void health_forget(struct health *health);

/* Returns the wait until the next attempt; 0: now; INT64_MAX: not until
 * resumed. Treats a time further ahead than any wait as now, like
 * schedule_wait_ms. */
int64_t health_wait_ms(const struct health *health, int64_t now_ms);

/* Returns how many attempts may run, of `concurrency`. */
int health_limit(const struct health *health, int concurrency);

#endif
