/*
 * The line parser: see ini.h.
 */
#include "config.h"

#include "conf/ini.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* A run of bytes inside the line. */
struct span {
	const char *at;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(const char *at, size_t len)
{
	while (len > 0 && is_blank(*at)) {
		at++;
		len--;
	}
	while (len > 0 && is_blank(at[len - 1]))
		len--;
	return (struct span){at, len};
}

static bool
is_word(struct span span)
{
	size_t i;

	for (i = 0; i < span.len; i++) {
		char c = span.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return span.len > 0;
}

static const char *
check_bytes(const char *bytes, size_t len)
{
	size_t i;

	if (len > INI_LINE_MAX_BYTES)
		return "the line is longer than 8192 bytes";
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\0')
			return "the line has a NUL byte";
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "the line has a control character";
	}
	return NULL;
}

static void
set(struct ini_line *line, enum ini_kind kind, struct span key,
    struct span value)
{
	ini_free(line);
	line->kind = kind;
	line->key = xmemdup(key.at, key.len);
	line->value = xmemdup(value.at, value.len);
}

static const char *
read_section(struct ini_line *line, struct span text)
{
	struct span key, value;
	size_t len = 0;

	if (text.at[text.len - 1] != ']')
		return "the ] of a section is missing; write [name]";
	text = trim(text.at + 1, text.len - 2);
	while (len < text.len && !is_blank(text.at[len]))
		len++;
	key = (struct span){text.at, len};
	value = trim(text.at + len, text.len - len);
	if (!is_word(key))
		return "the name of the section has other characters than "
		       "letters, digits, _ and -";
	set(line, INI_SECTION, key, value);
	return NULL;
}

static const char *
read_key(struct ini_line *line, struct span text)
{
	const char *equals = memchr(text.at, '=', text.len);
	struct span key, value;

	if (equals == NULL)
		return "the line has no =; write \"key = value\", "
		       "\"[section]\" or \"# comment\"";
	key = trim(text.at, (size_t)(equals - text.at));
	value = trim(equals + 1, text.len - (size_t)(equals + 1 - text.at));
	if (!is_word(key))
		return "the key has other characters than letters, digits, _ "
		       "and -";
	set(line, INI_KEY, key, value);
	return NULL;
}

const char *
ini_read(struct ini_line *line, const char *bytes, size_t len)
{
	struct span text;
	const char *why;

	ini_free(line);
	if (len > 0 && bytes[len - 1] == '\r')
		len--;
	why = check_bytes(bytes, len);
	if (why != NULL)
		return why;
	text = trim(bytes, len);
	if (text.len == 0 || *text.at == '#' || *text.at == ';')
		return NULL;
	return *text.at == '[' ? read_section(line, text)
			       : read_key(line, text);
}

void
ini_free(struct ini_line *line)
{
	if (line == NULL)
		return;
	free(line->key);
	free(line->value);
	*line = (struct ini_line){.kind = INI_NOTHING};
}
