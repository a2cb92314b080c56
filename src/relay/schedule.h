/*
 * Decides when to try a delivery again, and when to give up. Pure: clock and
 * random number are arguments.
 */
#ifndef HOOKSPOOL_SCHEDULE_H
#define HOOKSPOOL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_FIRST_MS     5000 /* the first back-off */
#define SCHEDULE_LONGEST_MS   (3600 * INT64_C(1000))
#define SCHEDULE_AHEAD_MAX_MS (24 * 3600 * INT64_C(1000))
#define SCHEDULE_ATTEMPTS_MIN 10 /* attempts before giving up */

/* A delivery whose attempt has just failed. */
struct schedule_failure {
	int attempts;             /* made so far, including this one */
	int64_t first_attempt_ms; /* when the first of them began */
	int64_t held_ms;          /* time paused or held since then */
	int64_t now_ms;
	int64_t retry_for_ms;
	int64_t asked_ms; /* from schedule_read_retry_after; 0 or less:
			     nothing */
	uint32_t random;  /* any number, for jitter */
};

/* Returns whether the delivery is dead: SCHEDULE_ATTEMPTS_MIN attempts were
 * made and retry_for has passed, not counting time paused or held. */
bool schedule_is_dead(const struct schedule_failure *failure);

/* Returns when to try again: after a random part of a back-off that doubles
 * with each attempt, or when Retry-After asked if later; at most a day
 * ahead. */
int64_t schedule_next_at(const struct schedule_failure *failure);

/* Returns the wait until `next_at_ms`; 0: due. A time further ahead than any
 * back-off is due, because spools of version 1 used the wall clock, which may
 * have been set. INT64_MAX (never) stays INT64_MAX. */
int64_t schedule_wait_ms(int64_t next_at_ms, int64_t now_ms);

/* Reads a Retry-After (RFC 9110, 10.2.3). Returns milliseconds from now,
 * `wall_ms` by the wall clock: at most a day; 0 for a past date; -1 if
 * malformed. */
int64_t schedule_read_retry_after(const char *value, int64_t wall_ms);

#endif
