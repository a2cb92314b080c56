/*
 * The filters, which are the same in every subcommand that has any: their
 * options, and what is read of them.
 */
#ifndef HOOKSPOOL_FILTER_H
#define HOOKSPOOL_FILTER_H

#include <stdbool.h>

#include "command/command.h"

/* The first rows of the options of such a subcommand; its own follow. */
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
	"with this EventType, * and ? allowed"},                               \
    [FILTER_TICKET] = {"ticket", "ID", "of this ticket"},                      \
    [FILTER_NOTE] = {"note", "ID", "of this note"},                            \
    [FILTER_COMMUNITY] = {"community", "PATTERN",                              \
	"of this community, * and ? allowed"},                                 \
    [FILTER_SINCE] = {"since", "TIME",                                         \
	"received since, such as 2h, 1h30m, today or 2006-01-02T15:04"},         \
    [FILTER_UNTIL] = {"until", "TIME", "received before"},                     \
    [FILTER_AUTHOR] = {"author", "EMAIL",                                      \
	"with this address in a member whose name ends in Email"},             \
    [FILTER_MATCH] = {"match", "TEXT",                                         \
	"with this text in the body, as read; capitals are alike"},            \
    [FILTER_LIMIT] = {"limit", "COUNT", limit_help}
/* clang-format on */

/* Reads them into call->filter. STATUS_USAGE: it has said what is wrong. */
int filter_read(struct call *call, size_t limit_default);

/* Whether one was given that leaves events out (--limit does not count), other
 * than `but` (FILTER_COUNT: none). */
bool filter_is_given(const struct call *call, int but);

#endif
