/*
 * The verification request. Holds: 200 comes with the one challenge there is,
 * decoded, and only where the one token there is decodes to the configured
 * one; anything else has a reason and nothing to send.
 */
#include "config.h"

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "endpoint/verify.h"

static char token[] = "t k";
static char other_token[] = "another";
static char *token_items[] = {token, other_token};
static const struct text_list tokens = {token_items, 2};

/* Decodes the slow and plain way; -1: an escape is not right. */
static long
decode(const char *from, size_t len, char *to)
{
	char digits[3] = "", *end;
	long count = 0;
	size_t i;

	for (i = 0; i < len; i++, count++) {
		to[count] = from[i] == '+' ? ' ' : from[i];
		if (from[i] != '%')
			continue;
		if (i + 2 >= len)
			return -1;
		memcpy(digits, from + i + 1, 2);
		if (strspn(digits, "0123456789abcdefABCDEF") != 2)
			return -1;
		to[count] = (char)strtol(digits, &end, 16);
		i += 2;
	}
	return count;
}

/* Finds the parameter's value, decoded into `value`; how many there are. */
static size_t
find(const char *query, size_t size, const char *name, char *value, long *len)
{
	char *found = malloc(size + 1);
	size_t from, to, equals, count = 0;
	long found_len;

	HOLDS(found != NULL);
	for (from = 0; from <= size; from = to + 1) {
		for (to = from; to < size && query[to] != '&';)
			to++;
		for (equals = from; equals < to && query[equals] != '=';)
			equals++;
		found_len = decode(query + from, equals - from, found);
		HOLDS(found_len >= 0);
		if ((size_t)found_len != strlen(name) ||
		    memcmp(found, name, strlen(name)) != 0)
			continue;
		count++;
		equals += equals < to;
		*len = decode(query + equals, to - equals, value);
	}
	free(found);
	return count;
}

static bool
has_control(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 32 || text[i] == 127)
			return true;
	return false;
}

static bool
is_token(const char *text, size_t len)
{
	return (len == strlen(token) && memcmp(text, token, len) == 0) ||
	       (len == strlen(other_token) &&
		   memcmp(text, other_token, len) == 0);
}

/* The status that section 3 of the contract asks for; with 200 `value` is the
 * challenge. */
static int
expected_status(const char *query, size_t size, char *value, long *len)
{
	char *known = malloc(size + 1);
	long known_len = 0;
	int status = 400;

	HOLDS(known != NULL);
	if (decode(query, size, value) >= 0 &&
	    find(query, size, "verifyToken", known, &known_len) == 1 &&
	    known_len > 0 && find(query, size, "challenge", value, len) == 1 &&
	    *len > 0 && *len <= CHALLENGE_MAX_BYTES &&
	    !has_control(value, (size_t)*len))
		status = is_token(known, (size_t)known_len) ? 200 : 403;
	free(known);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *query = (const char *)data;
	char *challenge = malloc(size + 1);
	struct verification out;
	long len = 0;

	HOLDS(challenge != NULL);
	verify_query(query, size, &tokens, &out);
	HOLDS(out.status == expected_status(query, size, challenge, &len));
	HOLDS((out.status == 200) == (out.why == NULL));
	if (out.status == 200) {
		HOLDS(out.challenge.len == (size_t)len);
		HOLDS(memcmp(out.challenge.data, challenge, (size_t)len) == 0);
	} else {
		HOLDS(out.challenge.len == 0);
	}
	buf_free(&out.challenge);
	free(challenge);
	return 0;
}
