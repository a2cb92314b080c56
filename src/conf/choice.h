/*
 * Chooses the endpoint's configuration (design 2, "A typo loses no event"): the
 * file, or the previous configuration. Rejects a file that is bad, that lost
 * something the previous one had, or that changed an instant ago. Never logs.
 */
#ifndef HOOKSPOOL_CHOICE_H
#define HOOKSPOOL_CHOICE_H

#include <stdbool.h>

#include "base/buf.h"

struct config;

struct choice {
	struct config *config; /* NULL: none usable; owned by the caller */
	bool is_kept;          /* the last good one replaces the file */
	bool is_passing;       /* because the file has just changed: ask
				  again even if nothing more changes */
};

/* Chooses for a process that starts. `why` (emptied first) says what is wrong
 * with the file at `path`, or stays empty. */
void choose_at_start(const char *path, struct choice *choice, struct buf *why);

/* Chooses for a process that uses `in_use`, whose files have changed. Returns
 * the new configuration, for the caller to free; or NULL to stay with `in_use`.
 * Then `why` (emptied first) says what is wrong with the file, or is empty if
 * the file has only just changed. */
struct config *choose_anew(const struct config *in_use, struct buf *why);

/* Copies path keys or tokens from `before` to `now` where `now` could not read
 * their file and `before` had, and clears the problem in `now`. `said` (emptied
 * first) names the files, or stays empty. */
void choice_carry_secrets(
    struct config *now, const struct config *before, struct buf *said);

/* Returns what `before` had and `now` has lost, in words; NULL: nothing. */
const char *choice_find_loss(
    const struct config *now, const struct config *before);

#endif
