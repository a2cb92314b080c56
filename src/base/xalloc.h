/*
 * Allocation that cannot fail: out of memory ends the process with abort().
 * Bound every size from the network before allocating.
 */
#ifndef HOOKSPOOL_XALLOC_H
#define HOOKSPOOL_XALLOC_H

#include <stddef.h>

/* Each returns memory for the caller to free with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);

/* Copies the first `len` bytes of `text` and adds a NUL. */
char *xmemdup(const char *text, size_t len);

/* Formats a string. */
char *xasprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2), returns_nonnull));

#endif
