/*
 * Prints the command's error messages.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/print.h"

__attribute__((format(printf, 3, 0))) static void
say(FILE *out, const char *prefix, const char *format, va_list args)
{
	char *text = NULL;
	struct buf safe;

	if (vasprintf(&text, format, args) < 0)
		abort();
	buf_init(&safe, PRINT_MAX_BYTES);
	print_add_safe(&safe, text, strlen(text));
	fflush(stdout);
	fprintf(out, "%s%s\n", prefix, buf_text(&safe));
	buf_free(&safe);
	free(text);
}

int
command_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(stderr, "hookspool: ", format, args);
	va_end(args);
	return STATUS_WRONG;
}

static bool
is_called_as_plugin(const struct call *call)
{
	return call->command != NULL && call->command->is_plugin != NULL &&
	       call->command->is_plugin(call);
}

int
command_refuse(const struct call *call, const char *format, ...)
{
	bool is_plugin = is_called_as_plugin(call);
	va_list args;

	va_start(args, format);
	if (is_plugin)
		say(stdout, "HOOKSPOOL UNKNOWN - ", format, args);
	else
		say(stderr, "hookspool: ", format, args);
	va_end(args);
	return is_plugin ? STATUS_UNKNOWN : STATUS_WRONG;
}

int
command_misuse(const struct call *call, const char *format, ...)
{
	const char *name = call->command != NULL ? call->command->name : "";
	bool is_plugin = is_called_as_plugin(call);
	char prefix[64];
	va_list args;

	snprintf(prefix, sizeof prefix,
	    "hookspool%s%s: ", *name != '\0' ? " " : "", name);
	va_start(args, format);
	if (is_plugin)
		say(stdout, "HOOKSPOOL UNKNOWN - ", format, args);
	else
		say(stderr, prefix, format, args);
	va_end(args);
	if (!is_plugin)
		fprintf(stderr, "Try: hookspool %s%s--help\n", name,
		    *name != '\0' ? " " : "");
	return is_plugin ? STATUS_UNKNOWN : STATUS_USAGE;
}
