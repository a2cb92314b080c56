/*
 * Checks the spool: owners and modes, space, database, a trial capture, and a
 * relay to serve it.
 */
#ifndef HOOKSPOOL_SOUNDNESS_H
#define HOOKSPOOL_SOUNDNESS_H

#include <stdbool.h>

struct config;
struct report;

/* Checks the folder, and owners and modes in it. Returns false if the folder is
 * missing, or must not be opened in this state. */
bool soundness_check_folder(struct report *report, const struct config *config);

/* Checks the rest, as the endpoint's user. */
void soundness_check_store(struct report *report, const struct config *config);

#endif
