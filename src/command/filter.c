/*
 * Reads the filters: see filter.h.
 */
#include "config.h"

#include "command/filter.h"

#include <string.h>

#include "base/clock.h"
#include "command/when.h"
#include "conf/value.h"

static int
misread(const struct call *call, int option, const char *expected)
{
	return command_misuse(call, "--%s \"%s\" %s",
	    call->command->options[option].name, call->values[option],
	    expected);
}

/* Refuses empty values: a script's unset variable must not select
 * everything. */
static int
check_empty(const struct call *call)
{
	int option;

	for (option = 0; option < FILTER_COUNT; option++)
		if (call->values[option] != NULL &&
		    *call->values[option] == '\0')
			return misread(call, option,
			    "is empty; give a value, or leave the option out");
	return STATUS_FINE;
}

static int
read_state(struct call *call)
{
	const char *word = call->values[FILTER_STATE];

	if (word == NULL || list_state_read(word, &call->filter.state))
		return STATUS_FINE;
	return misread(call, FILTER_STATE, "is no state; write " FILTER_STATES);
}

static int
read_time(const struct call *call, int option, int64_t now_ms,
    struct time_bound *bound)
{
	const char *text = call->values[option], *why;

	bound->is_given = text != NULL;
	if (text == NULL)
		return STATUS_FINE;
	why = when_read(text, now_ms, &bound->ms);
	return why != NULL ? misread(call, option, why) : STATUS_FINE;
}

static int
read_times(struct call *call)
{
	int64_t now_ms = clock_wall_ms();
	struct time_bound *since = &call->filter.since;
	struct time_bound *until = &call->filter.until;
	int status = read_time(call, FILTER_SINCE, now_ms, since);

	if (status == STATUS_FINE)
		status = read_time(call, FILTER_UNTIL, now_ms, until);
	if (status == STATUS_FINE && since->is_given && until->is_given &&
	    until->ms <= since->ms)
		status = misread(call, FILTER_UNTIL,
		    "is not after --since; write a later time");
	return status;
}

static int
read_limit(struct call *call, size_t limit_default)
{
	const char *text = call->values[FILTER_LIMIT];
	int64_t limit = (int64_t)limit_default;

	if (text != NULL &&
	    value_read_number(text, VALUE_PLAIN, &limit) != NULL)
		return misread(call, FILTER_LIMIT,
		    "is not a number; write a whole number, or 0 for all");
	call->filter.limit = (size_t)limit;
	return STATUS_FINE;
}

int
filter_read(struct call *call, size_t limit_default)
{
	const char *const *values = call->values;
	int status = check_empty(call);

	call->filter = (struct list_filter){.destination = values[FILTER_TO],
	    .type = values[FILTER_TYPE],
	    .ticket = values[FILTER_TICKET],
	    .note = values[FILTER_NOTE],
	    .community = values[FILTER_COMMUNITY],
	    .author = values[FILTER_AUTHOR],
	    .match = values[FILTER_MATCH]};
	if (status == STATUS_FINE)
		status = read_state(call);
	if (status == STATUS_FINE)
		status = read_times(call);
	if (status == STATUS_FINE)
		status = read_limit(call, limit_default);
	return status;
}

bool
filter_is_given(const struct call *call, int but)
{
	int option;

	for (option = 0; option < FILTER_LIMIT; option++)
		if (option != but && call->values[option] != NULL)
			return true;
	return false;
}
