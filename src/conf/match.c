/*
 * Matches events with destinations: see match.h.
 */
#include "config.h"

#include "conf/match.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "conf/conf.h"

static bool
is_any_met(const struct text_list *patterns, const char *text)
{
	size_t i;

	for (i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], text != NULL ? text : "", 0) ==
		    0)
			return true;
	return false;
}

static bool
is_type_met(const struct text_list *patterns, const char *type)
{
	size_t i;

	if (type == NULL || strcmp(type, CONFIG_PROBE_TYPE) != 0)
		return is_any_met(patterns, type);
	for (i = 0; i < patterns->count; i++)
		if (strcmp(patterns->items[i], CONFIG_PROBE_TYPE) == 0)
			return true;
	return false;
}

enum wanted
destination_judge(const struct destination_config *destination,
    const char *event_type, const char *community)
{
	if (!is_type_met(&destination->events, event_type))
		return WANTED_NOT_TYPE;
	if (!is_any_met(&destination->communities, community))
		return WANTED_NOT_COMMUNITY;
	return WANTED_YES;
}

bool
destination_wants(const struct destination_config *destination,
    const char *event_type, const char *community)
{
	return destination_judge(destination, event_type, community) ==
	       WANTED_YES;
}
