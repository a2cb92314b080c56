/*
 * Names of destinations as somebody types them.
 */
#ifndef HOOKSPOOL_NAMES_H
#define HOOKSPOOL_NAMES_H

#include <stdbool.h>

struct call;

/* Whether a destination of this name is configured, or the spool still knows
 * one. If not, it has said so, with the name that may have been meant. Needs
 * the configuration and the store. */
bool names_check(const struct call *call, const char *name);

#endif
