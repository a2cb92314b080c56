/*
 * Retention as the relay keeps it: erases what has outlived its time, a step
 * at a time, and says in the log how much that was.
 */
#ifndef HOOKSPOOL_RETAIN_H
#define HOOKSPOOL_RETAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

struct spool_config;

/* Makes one step; `is_more`: call again. `erased_events` counts what was
 * erased and is not in the log yet; the caller keeps it from step to step. A
 * spool that is busy or full is no failure: next time, then. */
enum store_status retain_step(struct store *store,
    const struct spool_config *spool, int64_t *erased_events, bool *is_more);

#endif
