/*
 * The guarded exit: what a transfer may connect to, through what, and whom it
 * trusts. Nothing of it comes from the environment. Sees libcurl, as deliver
 * does.
 */
#ifndef HOOKSPOOL_EGRESS_H
#define HOOKSPOOL_EGRESS_H

#include <stdbool.h>

#include "relay/guard.h"

struct destination_config;
struct look;

/* The guard of one transfer; all zero to begin with, but for `look`. */
struct egress {
	struct look *look; /* notes the addresses; NULL: nobody does */
	struct guard guard;
	bool has_socket; /* one could be made */
	int os_error;    /* why none could; 0: it was not tried */
};

/* Makes `easy`, a CURL handle without options, go to the destination's url,
 * and no other way than it says. False if libcurl lacks something for that:
 * it must not be used then. Both pointers are borrowed until the handle is
 * reset. */
bool egress_set(struct egress *egress, void *easy,
    const struct destination_config *destination);

/* Where a transfer that ended with `code`, a CURLcode, failed since this
 * machine lacks something: what is wrong and what to do about it, a constant.
 * NULL: it did not fail for that, as far as is known. */
const char *egress_fault(const struct egress *egress, int code);

#endif
