/*
 * How the command says that something is wrong.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/print.h"

__attribute__((format(printf, 2, 0))) static void
say(const char *prefix, const char *format, va_list args)
{
	char *text = NULL;
	struct buf safe;

	if (vasprintf(&text, format, args) < 0)
		abort();
	buf_init(&safe, PRINT_MAX_BYTES);
	print_add_safe(&safe, text, strlen(text));
	fflush(stdout);
	fprintf(stderr, "hookspool%s%s: %s\n", *prefix != '\0' ? " " : "",
	    prefix, buf_text(&safe));
	buf_free(&safe);
	free(text);
}

int
command_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
	return STATUS_WRONG;
}

int
command_misuse(const struct call *call, const char *format, ...)
{
	const char *name = call->command != NULL ? call->command->name : "";
	va_list args;

	va_start(args, format);
	say(name, format, args);
	va_end(args);
	fprintf(stderr, "Try: hookspool %s%s--help\n", name,
	    *name != '\0' ? " " : "");
	return STATUS_USAGE;
}
