/*
 * Decides whether a destination wants an event: the one place for routing and
 * for replay to another destination. Pure.
 */
#ifndef HOOKSPOOL_MATCH_H
#define HOOKSPOOL_MATCH_H

#include <stdbool.h>

struct destination_config;

/* Matches the destination's `events` and `community` patterns (fnmatch); one of
 * each must match. NULL counts as "". An empty list matches nothing. The
 * EventType of a probe is matched only by its full name, so a probe does not go
 * to destinations with `events = *`. */
enum wanted {
	WANTED_YES,
	WANTED_NOT_TYPE,     /* no pattern of `events` matches */
	WANTED_NOT_COMMUNITY /* no pattern of `community` matches */
};
enum wanted destination_judge(const struct destination_config *destination,
    const char *event_type, const char *community);

/* Returns whether the judgement is WANTED_YES. */
bool destination_wants(const struct destination_config *destination,
    const char *event_type, const char *community);

#endif
