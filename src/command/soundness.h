/*
 * Whether the spool is sound: its owners and modes, its space, its database,
 * whether it takes a capture, and whether a relay serves it.
 */
#ifndef HOOKSPOOL_SOUNDNESS_H
#define HOOKSPOOL_SOUNDNESS_H

#include <stdbool.h>

struct config;
struct report;

/* The folder and the owners and modes in it. False: it is not there, or not
 * to be opened as it is. */
bool soundness_check_folder(struct report *report, const struct config *config);

/* The rest, as the endpoint's user. */
void soundness_check_store(struct report *report, const struct config *config);

#endif
