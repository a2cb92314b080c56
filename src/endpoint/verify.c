/*
 * Judges verification requests: see verify.h.
 */
#include "config.h"

#include "endpoint/verify.h"

#include <stdbool.h>
#include <string.h>

#include "base/secret.h"

/* A parameter required exactly once, and the sentences for its faults. */
struct parameter {
	const char *name;
	const char *why_missing;
	const char *why_empty;
	const char *why_repeated;
	size_t count;
	struct buf value; /* of the last occurrence */
};

/* Returns the value of a hexadecimal digit, or -1. */
static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static bool
has_bad_escape(const char *query, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (query[i] == '%' &&
		    (len - i < 3 || hex_value(query[i + 1]) < 0 ||
			hex_value(query[i + 2]) < 0))
			return true;
	return false;
}

/* Takes one decoded byte. Escapes have been checked before. */
static char
next_byte(const char **at)
{
	const char *from = *at;

	*at += *from == '%' ? 3 : 1;
	if (*from == '%')
		return (char)(hex_value(from[1]) << 4 | hex_value(from[2]));
	return *from == '+' ? ' ' : *from;
}

static bool
is_name(const char *at, const char *end, const char *name)
{
	while (at < end && *name != '\0' && next_byte(&at) == *name)
		name++;
	return at == end && *name == '\0';
}

static void
decode(struct buf *out, const char *at, const char *end)
{
	char byte;

	buf_clear(out);
	while (at < end && !out->is_truncated) {
		byte = next_byte(&at);
		buf_add(out, &byte, 1);
	}
}

/* Takes the value of one `name=value` if the name matches. */
static void
read_parameter(struct parameter *parameter, const char *at, const char *end)
{
	const char *equals = memchr(at, '=', (size_t)(end - at));

	if (!is_name(at, equals != NULL ? equals : end, parameter->name))
		return;
	parameter->count++;
	decode(&parameter->value, equals != NULL ? equals + 1 : end, end);
}

static void
read_parameters(
    struct parameter *parameters, size_t count, const char *at, size_t len)
{
	const char *end = at + len, *stop;
	size_t i;

	while (at < end) {
		stop = memchr(at, '&', (size_t)(end - at));
		if (stop == NULL)
			stop = end;
		for (i = 0; i < count; i++)
			read_parameter(&parameters[i], at, stop);
		at = stop < end ? stop + 1 : end;
	}
}

static const char *
check_count(const struct parameter *parameter)
{
	if (parameter->count == 0)
		return parameter->why_missing;
	if (parameter->count > 1)
		return parameter->why_repeated;
	if (parameter->value.len == 0 && !parameter->value.is_truncated)
		return parameter->why_empty;
	return NULL;
}

static const char *
check_challenge(const struct buf *challenge)
{
	size_t i;

	if (challenge->is_truncated)
		return "challenge is longer than 1,024 bytes";
	for (i = 0; i < challenge->len; i++)
		if ((unsigned char)challenge->data[i] < 0x20 ||
		    challenge->data[i] == 0x7f)
			return "challenge has a control character";
	return NULL;
}

/* Compares with all tokens, even after a match (constant time). */
static bool
is_known(const struct buf *token, const struct text_list *tokens)
{
	volatile bool is_one = false;
	size_t i;

	for (i = 0; i < tokens->count; i++)
		is_one |=
		    secret_equal(token->data, token->len, tokens->items[i]);
	return is_one;
}

void
verify_query(const char *query, size_t len, const struct text_list *tokens,
    struct verification *out)
{
	enum { CHALLENGE, TOKEN, COUNT };
	struct parameter found[COUNT] = {
	    {"challenge", "challenge is missing", "challenge is empty",
		"challenge is given more than once", 0, {0}},
	    {"verifyToken", "verifyToken is missing", "verifyToken is empty",
		"verifyToken is given more than once", 0, {0}},
	};

	*out = (struct verification){.status = 400};
	buf_init(&found[CHALLENGE].value, CHALLENGE_MAX_BYTES);
	buf_init(&found[TOKEN].value, len);
	if (has_bad_escape(query, len)) {
		out->why = "a percent sign in the query is not followed by "
			   "two hexadecimal digits";
		goto out;
	}
	if (len > 0)
		read_parameters(found, COUNT, query, len);
	if ((out->why = check_count(&found[CHALLENGE])) != NULL ||
	    (out->why = check_count(&found[TOKEN])) != NULL ||
	    (out->why = check_challenge(&found[CHALLENGE].value)) != NULL)
		goto out;
	out->status = 403;
	out->why = "verifyToken is not a configured token";
	if (!is_known(&found[TOKEN].value, tokens))
		goto out;
	out->status = 200;
	out->why = NULL;
	out->challenge = found[CHALLENGE].value;
	found[CHALLENGE].value = (struct buf){0};
out:
	buf_free(&found[CHALLENGE].value);
	buf_free(&found[TOKEN].value);
}
