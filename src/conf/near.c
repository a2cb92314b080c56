/*
 * Finds the word that was meant: see near.h.
 */
#include "config.h"

#include "conf/near.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define WORD_MAX_BYTES 32 /* longer words resemble none of ours */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool
is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment, row by row. `row[0]` is being filled; row[1] and
 * row[2] are the two previous rows. */
size_t
near_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX_BYTES + 1], *row[3], i, j;
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > WORD_MAX_BYTES || b_len > WORD_MAX_BYTES)
		return WORD_MAX_BYTES;
	for (j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (i = 1; i <= a_len; i++) {
		row[0] = rows[i % 3];
		row[1] = rows[(i + 2) % 3];
		row[2] = rows[(i + 1) % 3];
		row[0][0] = i;
		for (j = 1; j <= b_len; j++) {
			row[0][j] =
			    least(row[1][j - 1] + !is_same(a[i - 1], b[j - 1]),
				least(row[1][j], row[0][j - 1]) + 1);
			if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
			    is_same(a[i - 2], b[j - 1]))
				row[0][j] = least(row[0][j], row[2][j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

void
near_prefer(const char *typed, const char *word, const char **best)
{
	size_t distance = near_distance(typed, word);

	if (distance > 3 || distance * 2 > strlen(word))
		return;
	if (*best == NULL || distance < near_distance(typed, *best))
		*best = word;
}
