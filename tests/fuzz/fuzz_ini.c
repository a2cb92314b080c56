/*
 * The line parser of the configuration. Holds: what it takes apart has no
 * white space around it and no control character in it, and put together
 * again it is read as the same.
 */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "base/xalloc.h"
#include "conf/ini.h"

static void
check_trimmed(const char *text)
{
	size_t len = strlen(text), i;

	HOLDS(len == 0 || strchr(" \t", text[0]) == NULL);
	HOLDS(len == 0 || strchr(" \t", text[len - 1]) == NULL);
	for (i = 0; i < len; i++)
		HOLDS(((unsigned char)text[i] >= 32 && text[i] != 127) ||
		      text[i] == '\t');
}

static void
check_line(const struct ini_line *line)
{
	struct ini_line again = {INI_NOTHING, NULL, NULL};
	char *text;

	if (line->kind == INI_NOTHING) {
		HOLDS(line->key == NULL && line->value == NULL);
		return;
	}
	HOLDS(line->key != NULL && *line->key != '\0' && line->value != NULL);
	HOLDS(strpbrk(line->key, " \t[]=#;") == NULL);
	check_trimmed(line->value);
	text = xasprintf(line->kind == INI_KEY ? "%s=%s" : "[%s %s]", line->key,
	    line->value);
	if (strlen(text) <= INI_LINE_MAX_BYTES) {
		HOLDS(ini_read(&again, text, strlen(text)) == NULL);
		HOLDS(again.kind == line->kind);
		HOLDS(strcmp(again.key, line->key) == 0);
		HOLDS(strcmp(again.value, line->value) == 0);
	}
	ini_free(&again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size, *newline;
	struct ini_line line = {INI_NOTHING, NULL, NULL};
	const char *why;

	while (at < end) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL)
			newline = end;
		why = ini_read(&line, at, (size_t)(newline - at));
		if (why == NULL)
			check_line(&line);
		else
			HOLDS(*why != '\0');
		at = newline < end ? newline + 1 : end;
	}
	ini_free(&line);
	return 0;
}
