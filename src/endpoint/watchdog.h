/*
 * Total deadlines for blocking reads and writes that know none: one thread
 * that knows what each worker waits for, and shuts its connection down when
 * the time is over, which ends the wait. It never closes a descriptor.
 */
#ifndef HOOKSPOOL_WATCHDOG_H
#define HOOKSPOOL_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watchdog;

enum watch {
	WATCH_READ,  /* ends what waits for the peer's bytes; an answer can
			still be written */
	WATCH_WRITE, /* ends everything on the connection */
	WATCH_LINGER /* as WATCH_READ, for what nobody waits for */
};

/* Starts the thread, to watch `count` workers; ended by watchdog_stop.
 * NULL with errno if there can be no thread. */
struct watchdog *watchdog_start(size_t count);

/* From now on worker number `worker` (from 0) uses `fd` until `deadline_ms`
 * (clock_mono_ms), in place of what was set before. */
void watchdog_set(struct watchdog *dog, size_t worker, int fd,
    int64_t deadline_ms, enum watch what);

/* The same with WATCH_LINGER, for a quarter of the workers at once (one at
 * least). False, and nothing set: so many linger already. */
bool watchdog_linger(
    struct watchdog *dog, size_t worker, int fd, int64_t deadline_ms);

/* The worker is done; only then may it close the descriptor. Returns whether
 * the deadline had passed and the connection was shut down. */
bool watchdog_clear(struct watchdog *dog, size_t worker);

/* Ends the thread and frees it; no worker is watched any more. NULL-safe. */
void watchdog_stop(struct watchdog *dog);

#endif
