/*
 * Schedules attempts: see schedule.h.
 */
#include "config.h"

#include "relay/schedule.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define DIGITS "0123456789"

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
back_off_ms(int attempts)
{
	int64_t ms = SCHEDULE_FIRST_MS;

	for (; attempts > 1 && ms < SCHEDULE_LONGEST_MS; attempts--)
		ms *= 2;
	return smaller(ms, SCHEDULE_LONGEST_MS);
}

bool
schedule_is_dead(const struct schedule_failure *failure)
{
	int64_t tried_ms =
	    failure->now_ms - failure->first_attempt_ms - failure->held_ms;

	return failure->attempts >= SCHEDULE_ATTEMPTS_MIN &&
	       tried_ms >= failure->retry_for_ms;
}

int64_t
schedule_next_at(const struct schedule_failure *failure)
{
	/* A random part of the back-off: `random` is a fraction of 2^32. */
	int64_t jittered_ms = back_off_ms(failure->attempts) *
			      ((int64_t)failure->random + 1) /
			      (INT64_C(1) << 32);

	return failure->now_ms + (failure->asked_ms > jittered_ms
					 ? failure->asked_ms
					 : jittered_ms);
}

int64_t
schedule_wait_ms(int64_t next_at_ms, int64_t now_ms)
{
	if (next_at_ms == INT64_MAX)
		return INT64_MAX;
	if (next_at_ms <= now_ms || next_at_ms - now_ms > SCHEDULE_AHEAD_MAX_MS)
		return 0;
	return next_at_ms - now_ms;
}

static int64_t
read_seconds(const char *digits)
{
	int64_t ms = 0;

	for (; *digits != '\0'; digits++)
		ms = smaller(ms * 10 + (*digits - '0') * INT64_C(1000),
		    SCHEDULE_AHEAD_MAX_MS);
	return ms;
}

/* Reads the three date forms of RFC 9110, 5.6.7, all in UTC. Assumes the C
 * locale for times, which the programs never change. */
static bool
read_date(const char *value, int64_t *date_ms)
{
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
	    "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"};
	size_t i;

	for (i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm utc = {.tm_sec = 0};
		const char *end = strptime(value, forms[i], &utc);

		if (end != NULL && *end == '\0') {
			*date_ms = (int64_t)timegm(&utc) * 1000;
			return true;
		}
	}
	return false;
}

int64_t
schedule_read_retry_after(const char *value, int64_t wall_ms)
{
	int64_t at_ms;

	if (*value == '\0')
		return -1;
	if (value[strspn(value, DIGITS)] == '\0')
		return read_seconds(value);
	if (!read_date(value, &at_ms))
		return -1;
	if (at_ms <= wall_ms)
		return 0;
	return smaller(at_ms - wall_ms, SCHEDULE_AHEAD_MAX_MS);
}
