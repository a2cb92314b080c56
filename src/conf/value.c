/*
 * Checks and reads values: see value.h.
 */
#include "config.h"

#include "conf/value.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"

#define SECRET_MAX_BYTES 1024
#define URL_MAX_BYTES    2048

#define SIGNING_KEY_MIN_BYTES 24
#define SIGNING_KEY_MAX_BYTES 64

struct scale {
	char letter; /* '\0': no letter */
	int64_t factor;
};

/* Largest unit first; a factor of 0 ends a list. */
static const struct scale scales[][5] = {
    [VALUE_PLAIN] = {{'\0', 1}},
    [VALUE_SIZE] = {{'G', 1 << 30}, {'M', 1 << 20}, {'K', 1 << 10}},
    [VALUE_DURATION] = {{'d', 86400000}, {'h', 3600000}, {'m', 60000},
	{'s', 1000}},
};

static const char *const not_of_kind[] = {
    [VALUE_PLAIN] = "is not a number",
    [VALUE_SIZE] = "is not a size",
    [VALUE_DURATION] = "is not a duration",
};

const char value_no_unit[] = "has no unit";

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

const char *
value_read_number(const char *text, enum value_unit unit, int64_t *number)
{
	const struct scale *scale = scales[unit];
	int64_t count = 0;

	if (!is_digit(*text))
		return not_of_kind[unit];
	for (; is_digit(*text); text++) {
		if (count > INT64_MAX / 100)
			return "is too large";
		count = count * 10 + (*text - '0');
	}
	if (*text == '\0' && unit != VALUE_PLAIN && count > 0)
		return value_no_unit;
	if (*text == '\0') {
		*number = count;
		return NULL;
	}
	while (scale->factor != 0 && scale->letter != *text)
		scale++;
	if (scale->factor == 0 || text[1] != '\0')
		return not_of_kind[unit];
	if (count > INT64_MAX / scale->factor)
		return "is too large";
	*number = count * scale->factor;
	return NULL;
}

void
value_add_number(struct buf *buf, enum value_unit unit, int64_t number)
{
	const struct scale *scale = scales[unit];

	while (scale[1].factor != 0 && number % scale->factor != 0)
		scale++;
	buf_add_format(buf, "%lld", (long long)(number / scale->factor));
	if (number != 0 && scale->letter != '\0')
		buf_add(buf, &scale->letter, 1);
}

void
value_add_with_units(struct buf *buf, enum value_unit unit, const char *number)
{
	const struct scale *scale = scales[unit];
	size_t i = 0;

	while (scale[i].factor != 0)
		i++;
	for (; i > 0; i--)
		buf_add_format(buf, "%s%c%s", number, scale[i - 1].letter,
		    i > 2    ? ", "
		    : i == 2 ? " or "
			     : "");
}

static const char *
check_port(const char *port, size_t len)
{
	long number = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (!is_digit(port[i]) || i == 5)
			return "has a port that is not a number from 1 to "
			       "65535";
		number = number * 10 + (port[i] - '0');
	}
	if (number < 1 || number > 65535)
		return "has a port that is not a number from 1 to 65535";
	return NULL;
}

/* host, host:port, [address] or [address]:port */
static const char *
check_host(const char *host, size_t len)
{
	bool is_bracketed = len > 0 && *host == '[';
	size_t used = 0;

	if (is_bracketed) {
		const char *end = memchr(host, ']', len);

		if (end == NULL)
			return "has a host without its closing ]";
		used = (size_t)(end + 1 - host);
	} else {
		while (used < len &&
		       (is_alnum(host[used]) || strchr(".-_", host[used])))
			used++;
	}
	if (used == 0 || (is_bracketed && used < 4))
		return "has no host";
	if (used == len)
		return NULL;
	if (host[used] != ':')
		return "has a character that is not allowed in a host name";
	return check_port(host + used + 1, len - used - 1);
}

const char *
value_check_url(const char *text)
{
	const char *host, *p;
	size_t len;

	if (strncasecmp(text, "http://", 7) == 0)
		host = text + 7;
	else if (strncasecmp(text, "https://", 8) == 0)
		host = text + 8;
	else
		return "does not begin with https:// or http://";
	for (p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '\\')
			return "has a space, a backslash, a control character "
			       "or a non-ASCII byte; write it percent-encoded";
	if (p - text > URL_MAX_BYTES)
		return "is longer than 2048 bytes";
	len = strcspn(host, "/?#");
	for (p = host + len; p > host; p--)
		if (p[-1] == '@') {
			len -= (size_t)(p - host);
			host = p;
			break;
		}
	return check_host(host, len);
}

const char *
value_check_proxy(const char *text)
{
	const char *why = value_check_url(text), *host, *end, *at;

	if (why != NULL)
		return why;
	host = strstr(text, "://") + 3;
	end = host + strcspn(host, "/?#");
	if (*end != '\0' && strcmp(end, "/") != 0)
		return "has a path";
	at = memrchr(host, '@', (size_t)(end - host));
	if (at != NULL)
		host = at + 1;
	/* Skip past the last ], the end of an IPv6 address. */
	at = memrchr(host, ']', (size_t)(end - host));
	if (at != NULL)
		host = at;
	if (memchr(host, ':', (size_t)(end - host)) == NULL)
		return "has no port";
	return NULL;
}

static bool
is_ours(const char *name, size_t len)
{
	static const char *const names[] = {
	    "Host", "Content-Length", "Content-Type", "Transfer-Encoding"};
	static const char *const prefixes[] = {"webhook-", "Hookspool-"};
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (len == strlen(names[i]) &&
		    strncasecmp(name, names[i], len) == 0)
			return true;
	for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (len >= strlen(prefixes[i]) &&
		    strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* RFC 9110: the name is a token (5.1, 5.6.2). The value has no control
 * character, above all no CR or LF (5.5). */
const char *
value_check_header(const char *text)
{
	const char *p;
	size_t len = 0;

	while (is_alnum(text[len]) ||
	       (text[len] != '\0' && strchr("!#$%&'*+-.^_`|~", text[len])))
		len++;
	if (len == 0 || text[len] != ':')
		return "is not of the form \"Name: value\"";
	if (is_ours(text, len))
		return "replaces a header that hookspool sends; leave it out";
	for (p = text + len + 1; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return "has a control character";
	if (text[len + 1 + strspn(text + len + 1, " \t")] == '\0')
		return "has no value";
	return NULL;
}

const char *
value_check_path_key(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if (!is_alnum(*p) && strchr("-._~", *p) == NULL)
			return "has a character other than letters, digits "
			       "and - . _ ~";
	if (p == text || p - text > SECRET_MAX_BYTES)
		return "is not 1 to 1024 characters long";
	return NULL;
}

/* RFC 4648, 4, with padding. */
const char *
value_check_secret(const char *text)
{
	const size_t prefix_len = sizeof CONFIG_SECRET_PREFIX - 1;
	size_t len = 0, padding = 0, bytes;

	if (strncmp(text, CONFIG_SECRET_PREFIX, prefix_len) != 0)
		return "does not begin with whsec_";
	text += prefix_len;
	while (is_alnum(text[len]) || text[len] == '+' || text[len] == '/')
		len++;
	while (padding < 2 && text[len + padding] == '=')
		padding++;
	if (text[len + padding] != '\0' || (len + padding) % 4 != 0)
		return "is not base64 after whsec_";
	bytes = (len + padding) / 4 * 3 - padding;
	if (bytes < SIGNING_KEY_MIN_BYTES)
		return "has fewer than 24 bytes after decoding";
	return bytes > SIGNING_KEY_MAX_BYTES
		   ? "has more than 64 bytes after decoding"
		   : NULL;
}

const char *
value_check_token(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "has a control character";
	if (p == text || p - text > SECRET_MAX_BYTES)
		return "is not 1 to 1024 bytes long";
	return NULL;
}

void
value_quote(struct buf *buf, const char *text)
{
	size_t i, len = strnlen(text, 81);

	buf_add_text(buf, "\"");
	for (i = 0; i < len && i < 80; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c >= 0x7f)
			buf_add_format(buf, "\\x%02x", c);
		else
			buf_add(buf, &c, 1);
	}
	buf_add_text(buf, len > 80 ? "...\"" : "\"");
}
