/*
 * Which events a destination wants: the one place where that is decided, for
 * routing and for a replay to another destination. Pure.
 */
#ifndef HOOKSPOOL_MATCH_H
#define HOOKSPOOL_MATCH_H

#include <stdbool.h>

struct destination_config;

/* Whether one of its `events` and one of its `community` patterns (fnmatch)
 * match. NULL counts as ""; an empty list matches nothing. The EventType of
 * a probe is matched by its own name alone, so that none goes to a destination
 * that asks for everything. */
enum wanted {
	WANTED_YES,
	WANTED_NOT_TYPE,     /* no pattern of `events` matches */
	WANTED_NOT_COMMUNITY /* none of `community` does */
};
enum wanted destination_judge(const struct destination_config *destination,
    const char *event_type, const char *community);

/* Whether it is WANTED_YES. */
bool destination_wants(const struct destination_config *destination,
    const char *event_type, const char *community);

#endif
