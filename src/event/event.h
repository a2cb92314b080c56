/*
 * What is read out of a notification (socialboards: CommunityName,
 * EventType, Events). Pure: no clock, file or log. The bytes themselves are
 * kept elsewhere, exactly; this is only what filters and lists go by.
 * json-c decodes the strings, after json.h has passed the whole text.
 */
#ifndef HOOKSPOOL_EVENT_H
#define HOOKSPOOL_EVENT_H

#include <stddef.h>

/* Bytes after decoding. A longer type is refused, a longer community or id
 * counts as absent. */
#define EVENT_TYPE_MAX_BYTES 256
#define EVENT_NAME_MAX_BYTES 256

/* All owned; UTF-8, NUL-terminated, U+0000 shown as U+FFFD; NULL: absent.
 * An id is the text of a number as sent, or the value of a string that is
 * not empty; where a place has none (null, another type, too long), the next
 * place is tried. */
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
	EVENT_NOT_JSON, /* RFC 8259, or the two limits of json.h */
	EVENT_NOT_ENVELOPE
};

struct event_error {
	enum event_verdict verdict;
	const char *why; /* a constant sentence; NULL when fine */
	size_t offset;   /* for EVENT_NOT_JSON: the byte where it went wrong */
};

/* Reads `event` out of the body; the caller frees it with event_free. Of
 * duplicate members the last one counts, as in most readers of JSON. On
 * any verdict but EVENT_FINE the event is empty. */
struct event_error event_read(
    const char *body, size_t len, struct event *event);

/* NULL-safe, idempotent. */
void event_free(struct event *event);

#endif
