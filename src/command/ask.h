/*
 * Sends a request to the running relay, and watches the result.
 */
#ifndef HOOKSPOOL_ASK_H
#define HOOKSPOOL_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"
#include "wake/wake.h"

enum ask {
	ASK_FAILED,   /* no connection to the relay; see errno */
	ASK_ENDED,    /* the relay has ended, and no other runs */
	ASK_REPLACED, /* the relay has ended, and another runs: `now` */
	ASK_DEAF      /* the relay still runs after `wait_ms` */
};

/* Sends the request to `before`, the relay of the spool at `path`, and waits
 * until `before` has ended; with `is_followed`, also a while for its
 * successor. */
enum ask ask_relay(const char *path, enum wake_request request,
    const struct relay_holder *before, bool is_followed, int64_t wait_ms,
    struct relay_holder *now);

#endif
