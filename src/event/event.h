/*
 * Reads the columns that filters and lists use from a notification
 * (socialboards: CommunityName, EventType, Events). The body itself is stored
 * elsewhere, byte for byte. json-c decodes the strings, after json_check has
 * passed the whole text. Pure: no clock, file or log.
 */
#ifndef HOOKSPOOL_EVENT_H
#define HOOKSPOOL_EVENT_H

#include <stddef.h>

/* Limits in decoded bytes. A longer type is refused; a longer community or id
 * counts as absent. */
#define EVENT_TYPE_MAX_BYTES 256
#define EVENT_NAME_MAX_BYTES 256

/* All members are owned, UTF-8, NUL-terminated, with U+0000 shown as U+FFFD;
 * NULL: absent. An id is the text of a number as sent, or the value of a
 * non-empty string. Where a place holds no such id (null, another type, too
 * long), the next place is tried. */
struct event {
	char *community; /* CommunityName, if a string */
	char *type;      /* EventType, never NULL after success */
	/* TicketId, else Events[0].TicketId, else Events[0].Ticket.Id */
	char *ticket;
	/* Events[0].NoteId */
	char *note;
	/* Events[0].ConversationId, else ConversationId, else
	 * Events[0].Conversation.Id */
	char *conversation;
};

enum event_verdict {
	EVENT_FINE,
	EVENT_NOT_JSON, /* against RFC 8259 or a limit of json.h */
	EVENT_NOT_ENVELOPE
};

struct event_error {
	enum event_verdict verdict;
	const char *why; /* a constant sentence; NULL when fine */
	size_t offset;   /* for EVENT_NOT_JSON: offset of the error in bytes */
};

/* Reads `event` from the body; the caller frees `event` with event_free. The
 * last of duplicate members counts, as in most JSON readers. `event` is empty
 * on any verdict but EVENT_FINE. */
struct event_error event_read(
    const char *body, size_t len, struct event *event);

/* NULL-safe, idempotent. */
void event_free(struct event *event);

#endif
