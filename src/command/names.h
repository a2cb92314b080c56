/*
 * Checks typed names of destinations.
 */
#ifndef HOOKSPOOL_NAMES_H
#define HOOKSPOOL_NAMES_H

#include <stdbool.h>

struct call;

/* Returns whether a destination of this name is configured or known to the
 * spool. If not, prints an error that names the nearest known name. Needs the
 * configuration and the store. */
bool names_check(const struct call *call, const char *name);

#endif
