/*
 * The conditions of a filter on an event, for list and export, and for replay
 * and drop.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <fnmatch.h>
#include <string.h>

#include "event/mention.h"
#include "spool/tx.h"

static bool
is_pattern_met(const char *pattern, const char *text)
{
	return pattern == NULL ||
	       fnmatch(pattern, text != NULL ? text : "", 0) == 0;
}

static bool
is_equal(const char *wanted, const char *text)
{
	return wanted == NULL || (text != NULL && strcmp(wanted, text) == 0);
}

bool
filter_is_before(const struct time_bound *bound, int64_t wall_ms)
{
	return !bound->is_given || wall_ms < bound->ms;
}

bool
filter_is_met(
    const struct list_filter *filter, const struct filter_facts *facts)
{
	if (filter->since.is_given && facts->received_at_ms < filter->since.ms)
		return false;
	if (!filter_is_before(&filter->until, facts->received_at_ms))
		return false;
	return is_equal(filter->ticket, facts->ticket_id) &&
	       is_equal(filter->note, facts->note_id) &&
	       is_pattern_met(filter->type, facts->event_type) &&
	       is_pattern_met(filter->community, facts->community);
}

bool
filter_has_search(const struct list_filter *filter)
{
	return filter->author != NULL || filter->match != NULL;
}

bool
filter_is_found(const struct list_filter *filter, const struct sql_bytes *body)
{
	const struct mention mention = {.email = filter->author};

	if (!filter_has_search(filter))
		return true;
	return body->bytes != NULL &&
	       (filter->author == NULL || mention_find(body->bytes, body->len,
					      &mention) != MENTION_NOT) &&
	       (filter->match == NULL ||
		   mention_has_text(body->bytes, body->len, filter->match));
}

const char *
list_state_name(enum list_state state)
{
	static const char *const event_states[] = {
	    [LIST_STATE_NEW] = "new", [LIST_STATE_ROUTED] = "routed"};

	return state < LIST_STATE_PENDING
		   ? event_states[state]
		   : delivery_state_name(
			 (enum delivery_state)(state - LIST_STATE_PENDING));
}

bool
list_state_read(const char *word, enum list_state *state)
{
	for (*state = LIST_STATE_NEW; *state < LIST_STATE_COUNT; ++*state)
		if (strcmp(word, list_state_name(*state)) == 0)
			return true;
	return false;
}

bool
filter_delivery_state(
    const struct list_filter *filter, enum delivery_state *state)
{
	if (filter->state < LIST_STATE_PENDING)
		return false;
	*state = (enum delivery_state)(filter->state - LIST_STATE_PENDING);
	return true;
}
