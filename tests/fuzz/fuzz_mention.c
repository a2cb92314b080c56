/*
 * Looking for what a body speaks of. Holds: an id that was read into a column
 * is found; what is found in the members of a JSON text is found by its
 * characters too, and an address by a search for it; the members count just
 * where the text is JSON.
 */
#include "config.h"

#include "fuzz.h"

#include "event/event.h"
#include "json/json.h"
#include "event/mention.h"

static void
check(const char *text, size_t size, const struct mention *what)
{
	enum mention_found found = mention_find(text, size, what);
	enum mention_found by_text = mention_find_text(text, size, what);
	struct json_value root;
	size_t offset;

	HOLDS(by_text != MENTION_MEMBER);
	if (json_check(text, size, &root, &offset) != NULL)
		HOLDS(found == by_text);
	else
		HOLDS(found != MENTION_TEXT);
	if (found == MENTION_MEMBER)
		HOLDS(by_text == MENTION_TEXT);
	if (found == MENTION_MEMBER && what->email != NULL)
		HOLDS(mention_has_text(text, size, what->email));
}

static void
check_columns(const char *text, size_t size)
{
	struct event event;
	struct mention what = {NULL, NULL, NULL};

	if (event_read(text, size, &event).verdict == EVENT_FINE) {
		what.ticket = event.ticket;
		what.note = event.note;
		if (what.ticket != NULL || what.note != NULL)
			HOLDS(
			    mention_find(text, size, &what) == MENTION_MEMBER);
	}
	event_free(&event);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mention asked[] = {{.email = "a@b.example"},
	    {.email = "\xC3\xB6@\xF0\x9F\x98\x80"}, {.ticket = "12"},
	    {.note = "7"}, {.ticket = "12", .email = "a@b.example"}};
	const char *text = (const char *)data;
	size_t i;

	for (i = 0; i < sizeof asked / sizeof *asked; i++)
		check(text, size, &asked[i]);
	check_columns(text, size);
	return 0;
}
