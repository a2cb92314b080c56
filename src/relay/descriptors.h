/*
 * How many descriptors the process may have.
 */
#ifndef HOOKSPOOL_DESCRIPTORS_H
#define HOOKSPOOL_DESCRIPTORS_H

#include <stdbool.h>

/* Raises the limit, up to the hard one, to what so many attempts at once may
 * need; logs where that is not enough. */
void descriptors_raise(int in_flight_max);

/* Whether the process, or the system, is at the limit of descriptors now, or
 * within a few of it. */
bool descriptors_are_short(void);

#endif
