/*
 * How many descriptors the process may have.
 */
#ifndef HOOKSPOOL_DESCRIPTORS_H
#define HOOKSPOOL_DESCRIPTORS_H

/* Raises the limit, up to the hard one, to what so many attempts at once may
 * need; logs where that is not enough. */
void descriptors_raise(int in_flight_max);

#endif
