/*
 * The envelope of a notification: see event.h. Walks the checked text with the
 * cursor, once for the whole and once for each of the few objects that hold
 * ids. json-c decodes single strings only: those with an escape, and short
 * enough to matter. Allocations are bounded by the limits on names, not by the
 * body.
 */
#include "config.h"

#include "event/event.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "json/json.h"

/* A wanted member, and the last value found under its name. */
struct member {
	const char *name;
	struct json_value value; /* text NULL: not found */
};

/* Appends decoded bytes, each U+0000 as U+FFFD. */
static void
add_decoded(struct buf *out, const char *bytes, size_t len)
{
	const char *end = bytes + len, *nul;

	while ((nul = memchr(bytes, '\0', (size_t)(end - bytes))) != NULL) {
		buf_add(out, bytes, (size_t)(nul - bytes));
		buf_add_text(out, "\xEF\xBF\xBD");
		bytes = nul + 1;
	}
	buf_add(out, bytes, (size_t)(end - bytes));
}

/* Decodes a string with escapes by json-c. Returns false if json-c refuses. */
static bool
decode_escapes(struct buf *out, const struct json_value *string)
{
	struct json_tokener *tokener = json_tokener_new_ex(1);
	struct json_object *object;

	if (tokener == NULL)
		abort(); /* out of memory */
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, string->text, (int)string->len);
	if (object != NULL)
		add_decoded(out, json_object_get_string(object),
		    (size_t)json_object_get_string_len(object));
	json_object_put(object);
	json_tokener_free(tokener);
	return object != NULL;
}

/* Bytes of the longest source of `max` decoded bytes: each as \u0000. */
#define SENT_MAX(max) (6 * (size_t)(max) + 2)

/* Returns the decoded string, for the caller to free; NULL if longer than `max`
 * bytes. */
static char *
decode_dup(const struct json_value *string, size_t max)
{
	bool is_decoded = true;
	struct buf out;

	if (string->len > SENT_MAX(max))
		return NULL;
	buf_init(&out, max);
	if (memchr(string->text, '\\', string->len) != NULL)
		is_decoded = decode_escapes(&out, string);
	else
		buf_add(&out, string->text + 1, string->len - 2);
	if (is_decoded && !out.is_truncated)
		return buf_take(&out);
	buf_free(&out);
	return NULL;
}

/* Returns the wanted member with this name, or NULL. */
static struct member *
match(const struct json_value *key, struct member *wanted, size_t count)
{
	const char *name = key->text + 1;
	size_t len = key->len - 2, i;
	struct member *found = NULL;
	char *decoded = NULL;

	if (memchr(name, '\\', len) != NULL) {
		decoded = decode_dup(key, EVENT_NAME_MAX_BYTES);
		if (decoded == NULL)
			return NULL;
		name = decoded;
		len = strlen(decoded);
	}
	for (i = 0; i < count && found == NULL; i++)
		if (strlen(wanted[i].name) == len &&
		    memcmp(wanted[i].name, name, len) == 0)
			found = &wanted[i];
	free(decoded);
	return found;
}

/* Fills in the wanted members of `object`; none if `object` is no JSON
 * object. */
static void
find_members(
    const struct json_value *object, struct member *wanted, size_t count)
{
	struct json_cursor at = json_enter(object);
	struct json_value key, value;
	struct member *found;

	if (object->kind != JSON_OBJECT)
		return;
	while (json_next(&at, &key, &value)) {
		found = match(&key, wanted, count);
		if (found != NULL)
			found->value = value;
	}
}

static struct json_value
find_id(const struct json_value *object)
{
	struct member id = {.name = "Id"};

	find_members(object, &id, 1);
	return id.value;
}

/* Returns an id as text; NULL if this place has none. */
static char *
id_dup(const struct json_value *value)
{
	char *id = NULL;

	if (value->kind == JSON_NUMBER && value->len <= EVENT_NAME_MAX_BYTES)
		return xmemdup(value->text, value->len);
	if (value->kind == JSON_STRING)
		id = decode_dup(value, EVENT_NAME_MAX_BYTES);
	if (id != NULL && id[0] == '\0') {
		free(id);
		id = NULL;
	}
	return id;
}

/* Returns the id of the first place that has one. */
static char *
first_id_dup(const struct json_value *places, size_t count)
{
	char *id = NULL;
	size_t i;

	for (i = 0; i < count && id == NULL; i++)
		id = id_dup(&places[i]);
	return id;
}

enum { COMMUNITY, TYPE, EVENTS, TICKET_ID, CONVERSATION_ID, TOP_COUNT };

/* Fills in the ids. `top` holds the members of the envelope. */
static void
read_ids(struct event *event, const struct member *top)
{
	struct member first[] = {{.name = "TicketId"}, {.name = "Ticket"},
	    {.name = "NoteId"}, {.name = "ConversationId"},
	    {.name = "Conversation"}};
	struct json_cursor at = json_enter(&top[EVENTS].value);
	struct json_value element;

	if (json_next(&at, NULL, &element))
		find_members(&element, first, sizeof first / sizeof first[0]);
	event->ticket =
	    first_id_dup((struct json_value[]){top[TICKET_ID].value,
			     first[0].value, find_id(&first[1].value)},
		3);
	event->note = id_dup(&first[2].value);
	event->conversation = first_id_dup(
	    (struct json_value[]){first[3].value, top[CONVERSATION_ID].value,
		find_id(&first[4].value)},
	    3);
}

/* Returns why the members are no envelope, or NULL and the event's `type`, for
 * the caller to free. */
static const char *
check_envelope(const struct member *top, char **type)
{
	if (top[TYPE].value.text == NULL)
		return "EventType is missing";
	if (top[TYPE].value.kind != JSON_STRING)
		return "EventType is not a string";
	if (top[TYPE].value.len == 2)
		return "EventType is empty";
	if (top[EVENTS].value.text == NULL)
		return "Events is missing";
	if (top[EVENTS].value.kind != JSON_ARRAY)
		return "Events is not an array";
	*type = decode_dup(&top[TYPE].value, EVENT_TYPE_MAX_BYTES);
	return *type == NULL ? "EventType is longer than 256 bytes" : NULL;
}

struct event_error
event_read(const char *body, size_t len, struct event *event)
{
	struct member top[TOP_COUNT] = {
	    [COMMUNITY] = {.name = "CommunityName"},
	    [TYPE] = {.name = "EventType"},
	    [EVENTS] = {.name = "Events"},
	    [TICKET_ID] = {.name = "TicketId"},
	    [CONVERSATION_ID] = {.name = "ConversationId"},
	};
	struct event_error error = {.verdict = EVENT_NOT_JSON};
	struct json_value root;

	*event = (struct event){0};
	error.why = json_check(body, len, &root, &error.offset);
	if (error.why != NULL)
		return error;
	error.verdict = EVENT_NOT_ENVELOPE;
	error.why = "the JSON text is not an object";
	if (root.kind != JSON_OBJECT)
		return error;
	find_members(&root, top, TOP_COUNT);
	error.why = check_envelope(top, &event->type);
	if (error.why != NULL)
		return error;
	error.verdict = EVENT_FINE;
	if (top[COMMUNITY].value.kind == JSON_STRING)
		event->community =
		    decode_dup(&top[COMMUNITY].value, EVENT_NAME_MAX_BYTES);
	read_ids(event, top);
	return error;
}

void
event_free(struct event *event)
{
	if (event == NULL)
		return;
	free(event->community);
	free(event->type);
	free(event->ticket);
	free(event->note);
	free(event->conversation);
	*event = (struct event){0};
}
