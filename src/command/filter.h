/*
 * The filters, the same in every subcommand with filters: options and reading.
 */
#ifndef HOOKSPOOL_FILTER_H
#define HOOKSPOOL_FILTER_H

#include <stdbool.h>

#include "command/command.h"

/* The first option rows of a subcommand with filters; its own rows follow. */
enum {
	FILTER_STATE,
	FILTER_TO,
	FILTER_TYPE,
	FILTER_TICKET,
	FILTER_NOTE,
	FILTER_COMMUNITY,
	FILTER_SINCE,
	FILTER_UNTIL,
	FILTER_AUTHOR,
	FILTER_MATCH,
	FILTER_LIMIT,
	FILTER_COUNT
};

/* clang-format off */
#define FILTER_STATES                                                          \
    "new, routed, pending, delivered, dead, dropped or orphaned"

#define FILTER_ROWS(state_help, to_help, limit_help)                           \
    [FILTER_STATE] = {"state", "STATE", state_help},                           \
    [FILTER_TO] = {"to", "NAME", to_help},                                     \
    [FILTER_TYPE] = {"type", "PATTERN",                                        \
	"events with this EventType; * and ? allowed"},                        \
    [FILTER_TICKET] = {"ticket", "ID", "events of this ticket"},               \
    [FILTER_NOTE] = {"note", "ID", "events of this note"},                     \
    [FILTER_COMMUNITY] = {"community", "PATTERN",                              \
	"events of this community; * and ? allowed"},                          \
    [FILTER_SINCE] = {"since", "TIME",                                         \
	"events received since, such as 2h, 1h30m, today or 2006-01-02T15:04"}, \
    [FILTER_UNTIL] = {"until", "TIME", "events received before"},              \
    [FILTER_AUTHOR] = {"author", "EMAIL",                                      \
	"events with this address in a member whose name ends in Email"},      \
    [FILTER_MATCH] = {"match", "TEXT",                                         \
	"events with this text in the body, JSON escapes resolved, any case"}, \
    [FILTER_LIMIT] = {"limit", "COUNT", limit_help}
/* clang-format on */

/* Reads the filters into call->filter. Returns STATUS_FINE, or STATUS_USAGE
 * after printing the error. */
int filter_read(struct call *call, size_t limit_default);

/* Returns whether a filter other than `but` (FILTER_COUNT: none) was given that
 * excludes events. --limit does not count. */
bool filter_is_given(const struct call *call, int but);

#endif
