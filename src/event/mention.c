/*
 * Searches for a ticket, a note or an e-mail address: see mention.h. Walks a
 * JSON text with the cursor, recursively, at most 64 levels deep (json.h).
 * Compares members one decoded character at a time, without allocation. Decodes
 * the text as a whole where the text is not JSON or any text is searched for.
 */
#include "config.h"

#include "event/mention.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "json/escape.h"
#include "json/json.h"

/* The search so far. */
struct search {
	const struct mention *what;
	bool has_ticket;
	bool has_note;
	bool has_email;
};

/* The owner of an object's member `Id`. */
enum owner { OWNER_OTHER, OWNER_TICKET, OWNER_NOTE };

static bool
is_same(const char *a, const char *b, size_t len, bool ignores_case)
{
	return (ignores_case ? strncasecmp(a, b, len) : strncmp(a, b, len)) ==
	       0;
}

/* Returns whether the decoded string equals `wanted`. */
static bool
is_string(
    const struct json_value *string, const char *wanted, bool ignores_case)
{
	const char *at = string->text + 1;
	const char *end = string->text + string->len - 1;
	char bytes[4];
	size_t len;

	while (at < end) {
		len = escape_take(&at, end, bytes);
		if (strnlen(wanted, len) < len ||
		    !is_same(bytes, wanted, len, ignores_case))
			return false;
		wanted += len;
	}
	return *wanted == '\0';
}

/* Returns whether the name ends in Email, in any case. */
static bool
names_email(const struct json_value *name)
{
	char tail[5];
	const char *at = name->text + 1, *end = name->text + name->len - 1;
	char bytes[4];
	size_t count = 0, len, i;

	while (at < end) {
		len = escape_take(&at, end, bytes);
		for (i = 0; i < len; i++) {
			if (count == sizeof tail)
				memmove(tail, tail + 1, --count);
			tail[count++] = bytes[i];
		}
	}
	return count == sizeof tail && is_same(tail, "email", count, true);
}

/* ---- a JSON text ---- */

static bool
is_id(const struct json_value *value, const char *id)
{
	if (id == NULL)
		return false;
	if (value->kind == JSON_NUMBER)
		return strlen(id) == value->len &&
		       memcmp(id, value->text, value->len) == 0;
	return value->kind == JSON_STRING && is_string(value, id, false);
}

/* Examines a member whose value is no container. */
static void
look_at(struct search *search, enum owner owner, const struct json_value *name,
    const struct json_value *value)
{
	const struct mention *what = search->what;
	bool is_own_id = owner != OWNER_OTHER && is_string(name, "Id", false);

	if (is_string(name, "TicketId", false) ||
	    (is_own_id && owner == OWNER_TICKET))
		search->has_ticket |= is_id(value, what->ticket);
	if (is_string(name, "NoteId", false) ||
	    (is_own_id && owner == OWNER_NOTE))
		search->has_note |= is_id(value, what->note);
	if (what->email != NULL && value->kind == JSON_STRING &&
	    names_email(name))
		search->has_email |= is_string(value, what->email, true);
}

static enum owner
owner_named(const struct json_value *name)
{
	if (is_string(name, "Ticket", false))
		return OWNER_TICKET;
	if (is_string(name, "Note", false))
		return OWNER_NOTE;
	return OWNER_OTHER;
}

static bool
is_all_found(const struct search *search)
{
	const struct mention *what = search->what;

	return (what->ticket == NULL || search->has_ticket) &&
	       (what->note == NULL || search->has_note) &&
	       (what->email == NULL || search->has_email);
}

/* Examines everything in a container. Recursive; json_check bounds the
 * depth. */
static void
look_into(
    struct search *search, enum owner owner, const struct json_value *container)
{
	struct json_cursor at = json_enter(container);
	struct json_value name, value;

	while (!is_all_found(search) && json_next(&at, &name, &value)) {
		bool is_deeper =
		    value.kind == JSON_ARRAY || value.kind == JSON_OBJECT;

		if (is_deeper)
			look_into(search,
			    at.is_object ? owner_named(&name) : owner, &value);
		else if (at.is_object)
			look_at(search, owner, &name, &value);
	}
}

/* ---- any text ---- */

static bool
is_alnum(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z');
}

static bool
has_id(const char *text, size_t len, const char *id)
{
	const char *at = text, *end = text + len;
	size_t id_len = strlen(id);

	while ((at = memmem(at, (size_t)(end - at), id, id_len)) != NULL) {
		if ((at == text || !is_alnum(at[-1])) &&
		    (at + id_len == end || !is_alnum(at[id_len])))
			return true;
		at++;
	}
	return false;
}

static bool
has_email(const char *text, size_t len, const char *email)
{
	size_t email_len = strlen(email), i;

	/* The two cases of a letter differ in this one bit. */
	for (i = 0; i + email_len <= len; i++)
		if (((text[i] ^ email[0]) & ~0x20) == 0 &&
		    is_same(text + i, email, email_len, true))
			return true;
	return false;
}

static void
look_for(struct search *search, const char *text, size_t len)
{
	const struct mention *what = search->what;

	if (what->ticket != NULL)
		search->has_ticket |= has_id(text, len, what->ticket);
	if (what->note != NULL)
		search->has_note |= has_id(text, len, what->note);
	if (what->email != NULL)
		search->has_email |= has_email(text, len, what->email);
}

static bool
is_given(const char *wanted)
{
	return wanted != NULL && *wanted != '\0';
}

static bool
is_any_given(const struct mention *what)
{
	return is_given(what->ticket) || is_given(what->note) ||
	       is_given(what->email);
}

enum mention_found
mention_find(const char *text, size_t len, const struct mention *what)
{
	struct search search = {.what = what};
	struct json_value root;
	size_t offset;

	if (!is_any_given(what))
		return MENTION_NOT;
	if (json_check(text, len, &root, &offset) != NULL)
		return mention_find_text(text, len, what);
	look_into(&search, OWNER_OTHER, &root);
	return is_all_found(&search) ? MENTION_MEMBER : MENTION_NOT;
}

enum mention_found
mention_find_text(const char *text, size_t len, const struct mention *what)
{
	struct search search = {.what = what};
	struct buf decoded;

	if (!is_any_given(what))
		return MENTION_NOT;
	buf_init(&decoded, len);
	escape_add_decoded(&decoded, text, len);
	look_for(&search, text, len);
	look_for(&search, buf_text(&decoded), decoded.len);
	buf_free(&decoded);
	return is_all_found(&search) ? MENTION_TEXT : MENTION_NOT;
}

/* ---- any text in any text ---- */

/* Converts capitals of ASCII, and of Latin-1 in UTF-8, to small letters: the
 * two cases differ in this one bit. */
static void
fold(char *text, size_t len)
{
	unsigned char before = 0, byte;
	size_t i;

	for (i = 0; i < len; i++) {
		byte = (unsigned char)text[i];
		if ((byte >= 'A' && byte <= 'Z') ||
		    (before == 0xC3 && byte >= 0x80 && byte <= 0x9E &&
			byte != 0x97)) /* multiplication sign */
			text[i] = (char)(byte | 0x20);
		before = byte;
	}
}

static bool
has_folded(struct buf *text, const char *folded, size_t len)
{
	if (text->len < len)
		return false;
	fold(text->data, text->len);
	return memmem(text->data, text->len, folded, len) != NULL;
}

bool
mention_has_text(const char *text, size_t len, const char *wanted)
{
	size_t wanted_len = strlen(wanted);
	char *folded = xmemdup(wanted, wanted_len);
	struct buf copy;
	bool is_there;

	fold(folded, wanted_len);
	buf_init(&copy, len);
	escape_add_decoded(&copy, text, len);
	is_there = wanted_len > 0 && has_folded(&copy, folded, wanted_len);
	/* A wanted text with a backslash may mean an escape as sent. */
	if (!is_there && strchr(wanted, '\\') != NULL) {
		buf_clear(&copy);
		buf_add(&copy, text, len);
		is_there = has_folded(&copy, folded, wanted_len);
	}
	buf_free(&copy);
	free(folded);
	return is_there;
}
