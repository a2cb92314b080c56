/*
 * Asking the relay that runs for something, and seeing what becomes of it.
 */
#ifndef HOOKSPOOL_ASK_H
#define HOOKSPOOL_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"
#include "spool/wake.h"

enum ask {
	ASK_FAILED,   /* it cannot be reached; errno says why */
	ASK_ENDED,    /* it has ended, and no other one runs */
	ASK_REPLACED, /* it has ended, and another one runs: `now` */
	ASK_DEAF      /* it still runs after `wait_ms` */
};

/* Sends the request to the relay of the spool at `path`, which is `before`,
 * and waits until it has ended; where `is_followed`, also for a while for the
 * one that follows it. */
enum ask ask_relay(const char *path, enum wake_request request,
    const struct relay_holder *before, bool is_followed, int64_t wait_ms,
    struct relay_holder *now);

#endif
