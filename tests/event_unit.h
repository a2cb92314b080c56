/*
 * What the unit tests of src/event/event share: include after unit.h.
 */
#ifndef HOOKSPOOL_TESTS_EVENT_UNIT_H
#define HOOKSPOOL_TESTS_EVENT_UNIT_H

#include <stdio.h>
#include <string.h>

#include "event/event.h"

#define REPLACEMENT "\xEF\xBF\xBD"

static struct event event; /* the one read last */

static inline struct event_error
read_text(const char *text)
{
	struct event_error error;

	event_free(&event);
	error = event_read(text, strlen(text), &event);
	if (error.verdict != EVENT_FINE) {
		assert_non_null(error.why);
		assert_null(event.type);
		assert_null(event.community);
		assert_null(event.ticket);
		assert_null(event.note);
		assert_null(event.conversation);
	}
	return error;
}

static inline void
read_fine(const char *text)
{
	struct event_error error = read_text(text);

	if (error.verdict != EVENT_FINE)
		fail_msg("%s: %s", text, error.why);
	assert_null(error.why);
	assert_non_null(event.type);
}

/* NULL stands for absent. */
static inline void
assert_is(const char *got, const char *expected)
{
	if (expected == NULL && got != NULL)
		fail_msg("%s instead of nothing", got);
	if (expected != NULL && (got == NULL || strcmp(got, expected) != 0))
		fail_msg("%s instead of %s", got ? got : "nothing", expected);
}

struct place {
	const char *members; /* of the envelope */
	const char *id;
};

static inline void
check_places(const struct place *places, size_t count, char *const *field)
{
	char text[1024];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(text, sizeof text, "{\"EventType\":\"a\",%s}",
		    places[i].members);
		read_fine(text);
		assert_is(*field, places[i].id);
	}
}

#endif
