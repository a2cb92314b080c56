/*
 * Guesses the known word behind a mistyped one. Pure.
 */
#ifndef HOOKSPOOL_NEAR_H
#define HOOKSPOOL_NEAR_H

#include <stddef.h>

/* Counts the letters that differ: missing, extra, wrong or swapped. Ignores
 * case. */
size_t near_distance(const char *a, const char *b);

/* Sets `best` to `word` if `word` is nearer to `typed` than `best` (NULL: none
 * yet), and at most half of its letters, and at most 3, differ. Borrows
 * `word`. */
void near_prefer(const char *typed, const char *word, const char **best);

#endif
