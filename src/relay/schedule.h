/*
 * When a delivery is tried again, and when it is given up. Pure: the clock
 * and the random number are handed in.
 */
#ifndef HOOKSPOOL_SCHEDULE_H
#define HOOKSPOOL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_FIRST_MS     5000 /* the first back-off */
#define SCHEDULE_LONGEST_MS   (3600 * INT64_C(1000))
#define SCHEDULE_AHEAD_MAX_MS (24 * 3600 * INT64_C(1000))
#define SCHEDULE_ATTEMPTS_MIN 10 /* nothing is given up before so many */

/* A delivery whose attempt has just failed. */
struct schedule_failure {
	int attempts;             /* made so far, this one included */
	int64_t first_attempt_ms; /* when the first of them began */
	int64_t held_ms; /* for so long the destination was paused or held
			    since then */
	int64_t now_ms;
	int64_t retry_for_ms;
	int64_t asked_ms; /* by schedule_read_retry_after; 0 or less: nothing */
	uint32_t random;  /* any number: the jitter */
};

/* Whether it is dead: so many attempts made and retry_for passed, the time
 * left out for which the destination was paused or held. */
bool schedule_is_dead(const struct schedule_failure *failure);

/* When it is due again: after a random part of a back-off that doubles with
 * each attempt, or what Retry-After asked for where that is later; within a
 * day. */
int64_t schedule_next_at(const struct schedule_failure *failure);

/* How long until something is due at `next_at_ms`; 0: it is. What is further
 * ahead than any back-off is due: a spool of version 1 kept to a clock that
 * may have been set. INT64_MAX, never,
 * stays INT64_MAX. */
int64_t schedule_wait_ms(int64_t next_at_ms, int64_t now_ms);

/* What a Retry-After (RFC 9110, 10.2.3) asks for, in milliseconds from now,
 * which is `wall_ms` by the wall clock: a day at most; 0 for a date that has
 * passed; -1 if it is not readable. */
int64_t schedule_read_retry_after(const char *value, int64_t wall_ms);

#endif
