/*
 * Comparing what a stranger sent with a secret.
 */
#ifndef HOOKSPOOL_BASE_SECRET_H
#define HOOKSPOOL_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the `got_len` bytes at `got` are the secret `wanted`. The time it
 * takes depends on the two lengths and not on the bytes. An empty secret
 * equals nothing. With several secrets, compare with each of them, whatever
 * the others came to. */
bool secret_equal(const char *got, size_t got_len, const char *wanted);

#endif
