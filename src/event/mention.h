/*
 * Whether a body speaks of a ticket, a note or a person, or has a text in it.
 * For erasing and searching: so it looks everywhere in the text, not only
 * where event.h reads its columns.
 * Pure, and bounded by the length of the text.
 */
#ifndef HOOKSPOOL_MENTION_H
#define HOOKSPOOL_MENTION_H

#include <stdbool.h>
#include <stddef.h>

/* What is looked for; NULL: no matter. A text has to speak of all that is
 * given, and of something. */
struct mention {
	const char *ticket; /* the id, as event.h gives it */
	const char *note;
	const char *email; /* ASCII letters are alike in both cases */
};

enum mention_found {
	MENTION_NOT,
	MENTION_MEMBER, /* in the members of a JSON text */
	MENTION_TEXT    /* it is no JSON text, but the characters are there */
};

/*
 * In a JSON text, at any depth: a ticket's id is the value of a member
 * TicketId, or Id of the object of a member Ticket; a note's likewise; an
 * e-mail address is the value of a member whose name ends in Email, in any
 * case. Strings are compared as decoded, numbers as sent.
 *
 * In anything else (also a JSON text that was cut off): the id stands there
 * with neither a letter nor a digit beside it, or the address does, as it is
 * or with JSON's escapes.
 */
enum mention_found mention_find(
    const char *text, size_t len, const struct mention *what);

/* The same for a text of which nothing is known: by the characters alone,
 * whatever it is. */
enum mention_found mention_find_text(
    const char *text, size_t len, const struct mention *what);

/* Whether `wanted` stands anywhere in the text once its escapes are decoded,
 * or, if `wanted` has a backslash, as the text was sent. Capitals and small
 * letters of ASCII and Latin-1 are alike. "" is nowhere. */
bool mention_has_text(const char *text, size_t len, const char *wanted);

#endif
