/*
 * Decodes JSON's escapes: see escape.h.
 */
#include "config.h"

#include "json/escape.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* Reads four hexadecimal digits at `at`. Returns -1 if there are fewer. */
static int32_t
read_unit(const char *at, const char *end)
{
	static const char digits[] = "0123456789abcdef";
	int32_t unit = 0;
	int i;

	if (end - at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		char byte = at[i];
		const char *digit;

		if (byte >= 'A' && byte <= 'F')
			byte = (char)(byte - 'A' + 'a');
		digit = byte != '\0' ? strchr(digits, byte) : NULL;
		if (digit == NULL)
			return -1;
		unit = unit * 16 + (int32_t)(digit - digits);
	}
	return unit;
}

static size_t
write_utf8(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* Decodes \uXXXX at `*at`, or a surrogate pair of two. Half a pair, and U+0000,
 * become U+FFFD as in event.h. Returns the number of bytes; 0 if there is no
 * valid \uXXXX. */
static size_t
take_unicode(const char **at, const char *end, char *out)
{
	int32_t high = read_unit(*at + 2, end), low = -1;

	if (high < 0)
		return 0;
	*at += 6;
	if (high < 0xD800 || high > 0xDFFF)
		return write_utf8(high == 0 ? 0xFFFD : (uint32_t)high, out);
	if (high <= 0xDBFF && end - *at >= 6 && (*at)[0] == '\\' &&
	    (*at)[1] == 'u')
		low = read_unit(*at + 2, end);
	if (low < 0xDC00 || low > 0xDFFF)
		return write_utf8(0xFFFD, out);
	*at += 6;
	return write_utf8(
	    (uint32_t)(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)),
	    out);
}

size_t
escape_take(const char **at, const char *end, char out[4])
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *escape;
	size_t len;

	out[0] = **at;
	if (**at == '\\' && end - *at >= 2 && (*at)[1] != '\0') {
		len = (*at)[1] == 'u' ? take_unicode(at, end, out) : 0;
		if (len > 0)
			return len;
		escape = strchr(escapes, (*at)[1]);
		if (escape != NULL) {
			*at += 2;
			out[0] = meant[escape - escapes];
			return 1;
		}
	}
	++*at;
	return 1;
}

/* Copies the bytes between escapes in runs, since escapes are rare. */
void
escape_add_decoded(struct buf *out, const char *text, size_t len)
{
	const char *at = text, *end = text + len, *next;
	char bytes[4];

	buf_reserve(out, len);
	while (at < end) {
		next = memchr(at, '\\', (size_t)(end - at));
		if (next == NULL)
			next = end;
		buf_add(out, at, (size_t)(next - at));
		at = next;
		if (at < end) {
			size_t count = escape_take(&at, end, bytes);

			buf_add(out, bytes, count);
		}
	}
}
