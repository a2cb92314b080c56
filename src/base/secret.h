/*
 * Compares what a stranger sent with a secret, in constant time.
 */
#ifndef HOOKSPOOL_BASE_SECRET_H
#define HOOKSPOOL_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Returns whether the `got_len` bytes at `got` equal `wanted`. The time depends
 * on the two lengths, not on the bytes. An empty secret equals nothing. To
 * check several secrets, compare with all, even after a match. */
bool secret_equal(const char *got, size_t got_len, const char *wanted);

#endif
