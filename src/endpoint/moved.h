/*
 * Handles the old spool folder after a change of the spool's path.
 */
#ifndef HOOKSPOOL_MOVED_H
#define HOOKSPOOL_MOVED_H

#include "conf/conf.h"

/* Logs how many events wait in the spool folder `old`, now that `config` names
 * another folder, and what to do about them. Keeps `config` in `old` too, so
 * that a search there for the last good configuration finds the new spool. */
void moved_from(const char *old, const struct config *config);

#endif
