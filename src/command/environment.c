/*
 * Restricts the environment: see environment.h.
 */
#include "config.h"

#include "command/environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Variables to keep; a trailing `_` marks a prefix. SQLite sorts in TMPDIR what
 * does not fit into memory. */
static const char *const kept[] = {"HOOKSPOOL_CONF", "PATH", "HOME", "TMPDIR",
    "TZ", "TERM", "LANG", "LANGUAGE", "LC_", "SUDO_USER"};

static bool
is_kept(const char *variable)
{
	size_t i;

	for (i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		size_t len = strlen(kept[i]);

		if (strncmp(variable, kept[i], len) == 0 &&
		    (variable[len] == '=' || kept[i][len - 1] == '_'))
			return true;
	}
	return false;
}

void
environment_restrict(void)
{
	char **from, **to = environ;

	if (environ == NULL) /* also means: no variables */
		return;
	for (from = environ; *from != NULL; from++)
		if (is_kept(*from))
			*to++ = *from;
	*to = NULL;
}
