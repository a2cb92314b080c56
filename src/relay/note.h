/*
 * What the log says of outcomes. A line for each delivery that was made or
 * died, and for a first attempt that failed; while a destination is down its
 * failures are silent, between one line when it goes down and one when it
 * comes back. Never a payload, and never a URL: it may hold a password.
 */
#ifndef HOOKSPOOL_NOTE_H
#define HOOKSPOOL_NOTE_H

#include <stdbool.h>

struct claim;

/* Logs the outcome of a claim that was settled, and counts it for its
 * destination; `is_applied` as in struct settlement. */
void note_outcome(const struct claim *claim, bool is_applied);

#endif
