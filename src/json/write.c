/*
 * Writes JSON for programs: see jsonout.h.
 */
#include "config.h"

#include "json/write.h"

#include <stdio.h>
#include <string.h>

/* Checks the second byte of a character, which rules out overlong forms,
 * surrogates and characters beyond U+10FFFF (RFC 3629, 4). */
static bool
is_second(unsigned char first, unsigned char second)
{
	unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

/* Returns the length of the UTF-8 character at `p`; 0 if invalid. */
static size_t
utf8_len(const unsigned char *p, size_t left)
{
	size_t len, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < len || !is_second(p[0], p[1]))
		return 0;
	for (i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void
put_ascii(unsigned char c)
{
	if (c == '"' || c == '\\')
		printf("\\%c", c);
	else if (c == '\n')
		fputs("\\n", stdout);
	else if (c < 0x20 || c == 0x7f)
		printf("\\u%04x", (unsigned)c);
	else
		putchar(c);
}

static void
put_string(const char *bytes, size_t left)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t len;

	putchar('"');
	for (; left > 0; p += len, left -= len) {
		len = utf8_len(p, left);
		if (len == 0) {
			fputs("\\ufffd", stdout);
			len = 1;
		} else if (len == 1) {
			put_ascii(*p);
		} else if (p[0] == 0xc2 && p[1] < 0xa0) {
			/* control characters U+0080 to U+009F */
			printf("\\u%04x", (unsigned)p[1]);
		} else {
			fwrite(p, 1, len, stdout);
		}
	}
	putchar('"');
}

/* Writes the comma and the key before a value. */
static void
begin(struct jsonout *out, const char *key)
{
	if (out->needs_comma)
		putchar(',');
	if (key != NULL) {
		put_string(key, strlen(key));
		putchar(':');
	}
	out->needs_comma = true;
}

void
jsonout_open(struct jsonout *out, const char *key, char bracket)
{
	begin(out, key);
	putchar(bracket);
	out->needs_comma = false;
}

void
jsonout_close(struct jsonout *out, char bracket)
{
	putchar(bracket);
	out->needs_comma = true;
}

void
jsonout_text(struct jsonout *out, const char *key, const char *text)
{
	if (text != NULL) {
		jsonout_bytes(out, key, text, strlen(text));
	} else {
		begin(out, key);
		fputs("null", stdout);
	}
}

void
jsonout_bytes(
    struct jsonout *out, const char *key, const char *bytes, size_t len)
{
	begin(out, key);
	put_string(bytes, len);
}

void
jsonout_number(struct jsonout *out, const char *key, int64_t number)
{
	begin(out, key);
	printf("%lld", (long long)number);
}

void
jsonout_some(struct jsonout *out, const char *key, int64_t number)
{
	if (number != 0)
		jsonout_number(out, key, number);
	else
		jsonout_text(out, key, NULL);
}

void
jsonout_bool(struct jsonout *out, const char *key, bool is_true)
{
	begin(out, key);
	fputs(is_true ? "true" : "false", stdout);
}

void
jsonout_base64(
    struct jsonout *out, const char *key, const void *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = bytes;
	unsigned long bits;
	size_t i, j, have;

	begin(out, key);
	putchar('"');
	for (i = 0; i < len; i += 3) {
		have = len - i < 3 ? len - i : 3;
		bits = 0;
		for (j = 0; j < 3; j++)
			bits = bits << 8 | (j < have ? p[i + j] : 0);
		for (j = 0; j < 4; j++)
			putchar(
			    j > have ? '=' : digits[bits >> (18 - 6 * j) & 63]);
	}
	putchar('"');
}

void
jsonout_end(struct jsonout *out)
{
	putchar('\n');
	out->needs_comma = false;
}
