/*
 * Applies retention: erases what has outlived its time, step by step, and logs
 * how much.
 */
#ifndef HOOKSPOOL_RETAIN_H
#define HOOKSPOOL_RETAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

struct spool_config;

/* Makes one step. `is_more`: call again. `erased_events` counts erased events
 * not logged yet; the caller keeps the count from step to step. A busy or full
 * spool is no failure: the next call tries again. */
enum store_status retain_step(struct store *store,
    const struct spool_config *spool, int64_t *erased_events, bool *is_more);

#endif
