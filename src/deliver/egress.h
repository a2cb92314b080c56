/*
 * The guarded exit: where a transfer may connect, through what, and whom it
 * trusts. Takes nothing from the environment. Sees libcurl, as deliver does.
 */
#ifndef HOOKSPOOL_EGRESS_H
#define HOOKSPOOL_EGRESS_H

#include <stdbool.h>

#include "deliver/guard.h"

struct destination_config;
struct look;

/* The guard of one transfer; zeroed to begin with, except `look`. */
struct egress {
	struct look *look; /* takes the addresses; NULL: nobody does */
	struct guard guard;
	bool has_socket; /* a socket could be made */
	int os_error;    /* errno of the failed socket; 0: not tried */
};

/* Sets up `easy`, a CURL handle without options, to go to the destination's url
 * and only the configured way. Returns false if libcurl lacks a needed feature;
 * the handle must not be used then. Both pointers are borrowed until the handle
 * is reset. */
bool egress_set(struct egress *egress, void *easy,
    const struct destination_config *destination);

/* Returns the fault of this machine that made a transfer fail with `code`, a
 * CURLcode, and its remedy; a constant. NULL: no such fault is known. */
const char *egress_fault(const struct egress *egress, int code);

#endif
