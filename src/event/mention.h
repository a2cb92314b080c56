/*
 * Finds whether a body mentions a ticket, a note or a person, or holds a text.
 * For erasing and searching, so the whole text is searched, not only the places
 * of event.h's columns. Pure, and bounded by the length of the text.
 */
#ifndef HOOKSPOOL_MENTION_H
#define HOOKSPOOL_MENTION_H

#include <stdbool.h>
#include <stddef.h>

/* A search; NULL members are ignored. A body must mention every given member,
 * and at least one must be given. */
struct mention {
	const char *ticket; /* the id in the form of event.h */
	const char *note;
	const char *email; /* compared without case in ASCII */
};

enum mention_found {
	MENTION_NOT,
	MENTION_MEMBER, /* in the members of a JSON text */
	MENTION_TEXT    /* in the characters of a text that is not JSON */
};

/*
 * In a JSON text, at any depth: a ticket's id is the value of a member
 * TicketId, or of Id in the object of a member Ticket; a note's likewise. An
 * e-mail address is the value of a member whose name ends in Email, in any
 * case. Strings are compared decoded, numbers as sent.
 *
 * In any other text (also a truncated JSON text): the id stands without a
 * letter or digit beside it, or the address stands anywhere, plainly or with
 * JSON's escapes.
 */
enum mention_found mention_find(
    const char *text, size_t len, const struct mention *what);

/* Searches as mention_find does in a text that is not JSON, even if the text is
 * JSON. */
enum mention_found mention_find_text(
    const char *text, size_t len, const struct mention *what);

/* Returns whether `wanted` stands anywhere in the text with its escapes
 * decoded, or, if `wanted` has a backslash, in the text as sent. Ignores case
 * in ASCII and Latin-1. Never finds "". */
bool mention_has_text(const char *text, size_t len, const char *wanted);

#endif
