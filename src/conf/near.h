/*
 * Which known word somebody meant who mistyped it. Pure.
 */
#ifndef HOOKSPOOL_NEAR_H
#define HOOKSPOOL_NEAR_H

#include <stddef.h>

/* How many letters differ: left out, too many, other, or swapped. Case
 * does not matter. */
size_t near_distance(const char *a, const char *b);

/* Makes `word` the best guess if it is nearer to what was typed than `best`
 * (NULL: none yet), and near at all: a word that would have to change by
 * half is not. `word` is borrowed. */
void near_prefer(const char *typed, const char *word, const char **best);

#endif
