/*
 * Allocation that cannot fail: see xalloc.h.
 */
#include "config.h"

#include "base/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
checked(void *memory)
{
	if (memory == NULL) {
		fputs("hookspool: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *
xmalloc(size_t size)
{
	return checked(malloc(size > 0 ? size : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *
xreallocarray(void *old, size_t count, size_t size)
{
	return checked(
	    reallocarray(old, count > 0 ? count : 1, size > 0 ? size : 1));
}

char *
xstrdup(const char *text)
{
	return xmemdup(text, strlen(text));
}

char *
xmemdup(const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
xasprintf(const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	return checked(len < 0 ? NULL : text);
}
