/*
 * Reading the envelope. Holds: it is "not JSON" just where the checker says
 * so, and an envelope just where json-c sees one; what is read is within its
 * limits and valid UTF-8; type and community are what json-c reads.
 */
#include "config.h"

#include "fuzz.h"
#include "oracle.h"

#include "event/event.h"

/* Whether the text is UTF-8, as the checker sees it, and not too long. */
static void
check_text(const char *text, size_t max)
{
	char string[EVENT_TYPE_MAX_BYTES + EVENT_NAME_MAX_BYTES + 3] = "\"";
	struct json_value root;
	size_t i, len, offset;

	if (text == NULL)
		return;
	len = strlen(text);
	HOLDS(len <= max);
	for (i = 0; i < len; i++)
		string[i + 1] = (unsigned char)text[i] < 0x20 ||
					text[i] == '"' || text[i] == '\\'
				    ? '.'
				    : text[i];
	string[len + 1] = '"';
	HOLDS(json_check(string, len + 2, &root, &offset) == NULL);
}

static void
check_id(const char *id)
{
	check_text(id, EVENT_NAME_MAX_BYTES);
	HOLDS(id == NULL || *id != '\0');
}

static void
check_empty(const struct event *event)
{
	HOLDS(event->type == NULL && event->community == NULL);
	HOLDS(event->ticket == NULL && event->note == NULL);
	HOLDS(event->conversation == NULL);
}

/* The member's string as json-c has it; NULL: no string. */
static const char *
find_string(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(object, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	return json_object_get_string(member);
}

/* Whether it is an envelope to json-c. */
static bool
is_envelope(struct json_object *object, const char *type)
{
	struct json_object *events = NULL;

	return type != NULL && *type != '\0' &&
	       strlen(type) <= EVENT_TYPE_MAX_BYTES &&
	       json_object_object_get_ex(object, "Events", &events) &&
	       json_object_is_type(events, json_type_array);
}

static void
compare(const char *text, size_t len, const struct event *event)
{
	struct json_object *object = NULL;
	const char *type, *community;

	HOLDS(oracle_parse(text, len, &object));
	type = find_string(object, "EventType");
	community = find_string(object, "CommunityName");
	if (community != NULL && strlen(community) > EVENT_NAME_MAX_BYTES)
		community = NULL;
	HOLDS(is_envelope(object, type) == (event->type != NULL));
	if (event->type != NULL) {
		HOLDS(strcmp(type, event->type) == 0);
		HOLDS((community == NULL) == (event->community == NULL));
		HOLDS(community == NULL ||
		      strcmp(community, event->community) == 0);
	}
	json_object_put(object);
}

static void
check_event(const struct event *event)
{
	HOLDS(event->type != NULL && *event->type != '\0');
	check_text(event->type, EVENT_TYPE_MAX_BYTES);
	check_text(event->community, EVENT_NAME_MAX_BYTES);
	check_id(event->ticket);
	check_id(event->note);
	check_id(event->conversation);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct event_error error;
	struct json_value root;
	struct event event;
	size_t offset;

	error = event_read(text, size, &event);
	HOLDS((error.verdict == EVENT_FINE) == (error.why == NULL));
	HOLDS((error.verdict == EVENT_NOT_JSON) ==
	      (json_check(text, size, &root, &offset) != NULL));
	if (error.verdict == EVENT_FINE)
		check_event(&event);
	else
		check_empty(&event);
	/* To json-c a name ends at U+0000, and so does a C string: leave
	 * these out. */
	if (error.verdict != EVENT_NOT_JSON &&
	    memmem(text, size, "\\u0000", 6) == NULL)
		compare(text, size, &event);
	event_free(&event);
	return 0;
}
