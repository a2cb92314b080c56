/*
 * Which configuration the endpoint uses (design 2, "A typo loses no event"):
 * the file, or what it had before. A file that is bad, that lost what it had,
 * or that changed an instant ago is not taken up. Never logs.
 */
#ifndef HOOKSPOOL_CHOICE_H
#define HOOKSPOOL_CHOICE_H

#include <stdbool.h>

#include "base/buf.h"

struct config;

struct choice {
	struct config *config; /* NULL: none can be had; owned by the caller */
	bool is_kept;          /* the last good one stands in for the file */
	bool is_passing;       /* because the file has just changed: ask again,
				  whether or not it changes */
};

/* For a process that starts. `why` (emptied first) says what is wrong with the
 * file at `path`; it stays empty where nothing is. */
void choose_at_start(const char *path, struct choice *choice, struct buf *why);

/* For a process that uses `in_use`, whose files have changed. NULL: that one
 * stays; then `why` (emptied first) says what is wrong with the file, or
 * nothing where it has only just changed. The caller frees the result. */
struct config *choose_anew(const struct config *in_use, struct buf *why);

/* Where `now` cannot read a file of path keys or tokens, and `before` has what
 * was read before, `now` gets that, and the problem is no longer one. `said`
 * (emptied first) names the files; it stays empty where all is well. */
void choice_carry_secrets(
    struct config *now, const struct config *before, struct buf *said);

/* What `now` has lost of what `before` had, in words; NULL: nothing. */
const char *choice_find_loss(
    const struct config *now, const struct config *before);

#endif
