/*
 * Allocation that cannot fail: out of memory ends the process by abort().
 * Whoever allocates a size that came from the network bounds it first.
 */
#ifndef HOOKSPOOL_XALLOC_H
#define HOOKSPOOL_XALLOC_H

#include <stddef.h>

/* Each returns memory that the caller frees with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);

/* The first `len` bytes of `text`, with a NUL after them. */
char *xmemdup(const char *text, size_t len);

/* A formatted string. */
char *xasprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2), returns_nonnull));

#endif
