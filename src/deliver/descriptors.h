/*
 * The process's limit of descriptors.
 */
#ifndef HOOKSPOOL_DESCRIPTORS_H
#define HOOKSPOOL_DESCRIPTORS_H

#include <stdbool.h>

/* Raises the limit, up to the hard limit, for this many attempts at once. Logs
 * a warning if that is not enough. */
void descriptors_raise(int in_flight_max);

/* Returns whether the process or the system is at the limit of descriptors, or
 * within a few of the limit. */
bool descriptors_are_short(void);

#endif
