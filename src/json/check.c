/*
 * The checker: see json.h. One pass without recursion: one bit per open
 * container says whether the container is an object. Gives no meaning to the
 * text. Error sentences are for the person who must correct the text. For a
 * text that ends too early, the error's offset is the length of the text.
 */
#include "config.h"

#include "json/json.h"

#include <stdint.h>
#include <string.h>

static const char ends_early[] = "the text ends too early";
static const char strange_word[] = "a word is not true, false or null";

struct scan {
	const unsigned char *at;
	const unsigned char *end;
	uint64_t objects; /* one bit per container, innermost lowest */
	unsigned depth;
	unsigned values;
};

_Static_assert(JSON_MAX_DEPTH <= 64, "a bit of a word for each level");

/* ---- the bytes of a string ---- */

/* 1 marks bytes that stand for themselves in a string: all but control
 * characters, the quote, the backslash and bytes outside ASCII. */
static const unsigned char is_plain[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
    1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x20, the quote */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x30 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x40 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, /* 0x50, the backslash */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x60 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x70 */
};

/* Steps over one multi-byte character by RFC 3629: no overlong form, no
 * surrogate, U+10FFFF at most. */
static const char *
take_utf8(struct scan *scan)
{
	static const char why[] = "a string is not valid UTF-8";
	const unsigned char *at = scan->at;
	unsigned char low = 0x80, high = 0xBF;
	size_t len = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2, i;

	if (at[0] < 0xC2 || at[0] > 0xF4)
		return why;
	if (at[0] == 0xE0)
		low = 0xA0;
	else if (at[0] == 0xED)
		high = 0x9F;
	else if (at[0] == 0xF0)
		low = 0x90;
	else if (at[0] == 0xF4)
		high = 0x8F;
	for (i = 1; i < len; i++) {
		if (at + i == scan->end || at[i] < low || at[i] > high)
			return why;
		low = 0x80;
		high = 0xBF;
	}
	scan->at += len;
	return NULL;
}

static bool
is_hex(unsigned char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
	       (byte >= 'A' && byte <= 'F');
}

static const char *
take_escape(struct scan *scan)
{
	static const char why[] = "an escape in a string is not valid";
	int i;

	if (++scan->at == scan->end)
		return ends_early;
	if (*scan->at == '\0' || strchr("\"\\/bfnrtu", *scan->at) == NULL)
		return why;
	if (*scan->at++ != 'u')
		return NULL;
	for (i = 0; i < 4; i++, scan->at++) {
		if (scan->at == scan->end)
			return ends_early;
		if (!is_hex(*scan->at))
			return why;
	}
	return NULL;
}

/* Steps over a string, both quotes included. */
static const char *
take_string(struct scan *scan)
{
	const char *why = NULL;

	scan->at++;
	while (why == NULL) {
		while (scan->at < scan->end && is_plain[*scan->at])
			scan->at++;
		if (scan->at == scan->end)
			return ends_early;
		if (*scan->at == '"') {
			scan->at++;
			return NULL;
		}
		if (*scan->at == '\\')
			why = take_escape(scan);
		else if (*scan->at >= 0x80)
			why = take_utf8(scan);
		else
			why = "a string has a control character, or no closing "
			      "quote";
	}
	return why;
}

/* ---- numbers and words ---- */

static bool
is_next(const struct scan *scan, char byte)
{
	return scan->at < scan->end && *scan->at == (unsigned char)byte;
}

static bool
is_digit_next(const struct scan *scan)
{
	return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static const char *
take_digits(struct scan *scan)
{
	if (!is_digit_next(scan))
		return scan->at == scan->end ? ends_early
					     : "a number lacks a digit";
	while (is_digit_next(scan))
		scan->at++;
	return NULL;
}

static const char *
take_number(struct scan *scan)
{
	const char *why = NULL;

	if (is_next(scan, '-'))
		scan->at++;
	if (is_next(scan, '0')) {
		scan->at++;
		if (is_digit_next(scan))
			return "a number has a leading 0";
	} else {
		why = take_digits(scan);
	}
	if (why == NULL && is_next(scan, '.')) {
		scan->at++;
		why = take_digits(scan);
	}
	if (why == NULL && (is_next(scan, 'e') || is_next(scan, 'E'))) {
		scan->at++;
		if (is_next(scan, '+') || is_next(scan, '-'))
			scan->at++;
		why = take_digits(scan);
	}
	return why;
}

static const char *
take_word(struct scan *scan, const char *word)
{
	for (; *word != '\0'; word++, scan->at++) {
		if (scan->at == scan->end)
			return ends_early;
		if (*scan->at != (unsigned char)*word)
			return strange_word;
	}
	return NULL;
}

/* ---- values ---- */

static void
skip_space(struct scan *scan)
{
	while (
	    scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
					*scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
}

/* Steps over a member's name and the colon. */
static const char *
take_name(struct scan *scan)
{
	const char *why;

	skip_space(scan);
	if (scan->at == scan->end)
		return ends_early;
	if (*scan->at != '"')
		return "a member's name in double quotes is missing";
	why = take_string(scan);
	if (why != NULL)
		return why;
	skip_space(scan);
	if (scan->at == scan->end)
		return ends_early;
	if (*scan->at != ':')
		return "a colon after a member's name is missing";
	scan->at++;
	return NULL;
}

static bool
in_object(const struct scan *scan)
{
	return (scan->objects & 1) != 0;
}

/* Enters a container, up to its first value; steps over an empty container. */
static const char *
take_open(struct scan *scan)
{
	bool is_object = *scan->at == '{';

	if (scan->depth == JSON_MAX_DEPTH)
		return "the text is nested deeper than 64 levels";
	scan->at++;
	skip_space(scan);
	if (is_next(scan, is_object ? '}' : ']')) {
		scan->at++;
		return NULL;
	}
	scan->depth++;
	scan->objects = scan->objects << 1 | is_object;
	return is_object ? take_name(scan) : NULL;
}

/* Guesses what was meant by a byte that begins no value. */
static const char *
why_no_value(unsigned char byte)
{
	if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
		return strange_word;
	switch (byte) {
	case '\'':
		return "a string is in single quotes";
	case '/':
	case '#':
		return "there is a comment";
	case '+':
	case '.':
		return "a number begins with + or a point";
	default:
		return "a value is missing";
	}
}

/* Steps over a number, string, word or empty container; enters any other
 * container. */
static const char *
take_value(struct scan *scan)
{
	switch (*scan->at) {
	case '{':
	case '[':
		return take_open(scan);
	case '"':
		return take_string(scan);
	case 't':
		return take_word(scan, "true");
	case 'f':
		return take_word(scan, "false");
	case 'n':
		return take_word(scan, "null");
	default:
		if (*scan->at == '-' || is_digit_next(scan))
			return take_number(scan);
		return why_no_value(*scan->at);
	}
}

/* Steps over what may follow a complete value: closing brackets, then a comma
 * (and name) if another value comes. */
static const char *
take_after(struct scan *scan)
{
	while (scan->depth > 0) {
		skip_space(scan);
		if (scan->at == scan->end)
			return ends_early;
		if (*scan->at == ',') {
			scan->at++;
			return in_object(scan) ? take_name(scan) : NULL;
		}
		if (*scan->at != (in_object(scan) ? '}' : ']'))
			return in_object(scan) ? "a comma or } is missing"
					       : "a comma or ] is missing";
		scan->at++;
		scan->objects >>= 1;
		scan->depth--;
	}
	return NULL;
}

/* Steps over all values of the text, in the order in which they begin. */
static const char *
take_values(struct scan *scan)
{
	const char *why = NULL;
	unsigned depth;

	do {
		skip_space(scan);
		if (scan->at == scan->end)
			return ends_early;
		if (++scan->values > JSON_MAX_VALUES)
			return "the text has more than 50,000 values";
		depth = scan->depth;
		why = take_value(scan);
		if (why == NULL && scan->depth == depth)
			why = take_after(scan);
	} while (why == NULL && scan->depth > 0);
	return why;
}

static const char *
check(struct scan *scan, struct json_value *root)
{
	const char *why;

	if (scan->end - scan->at >= 3 &&
	    memcmp(scan->at, "\xEF\xBB\xBF", 3) == 0)
		return "the text begins with a byte order mark";
	skip_space(scan);
	root->text = (const char *)scan->at;
	why = take_values(scan);
	if (why != NULL)
		return why;
	root->kind = json_kind_of(root->text);
	root->len = (size_t)((const char *)scan->at - root->text);
	skip_space(scan);
	return scan->at < scan->end
		   ? "something follows the end of the JSON text"
		   : NULL;
}

const char *
json_check(
    const char *text, size_t len, struct json_value *root, size_t *offset)
{
	const unsigned char *bytes = (const unsigned char *)text;
	struct scan scan = {.at = bytes, .end = bytes + len};
	const char *why = check(&scan, root);

	if (why != NULL)
		*offset = (size_t)(scan.at - bytes);
	return why;
}
