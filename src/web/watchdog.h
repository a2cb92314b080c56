/*
 * Gives total deadlines to blocking reads and writes that have none. One thread
 * knows each worker's connection and deadline, and shuts an overdue connection
 * down, which ends the worker's wait. Never closes a descriptor.
 */
#ifndef HOOKSPOOL_WATCHDOG_H
#define HOOKSPOOL_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watchdog;

enum watch {
	WATCH_READ,  /* ends reading; an answer can still be written */
	WATCH_WRITE, /* ends reading and writing */
	WATCH_LINGER /* like WATCH_READ, for a body that nobody waits for */
};

/* Starts the thread to watch `count` workers. Returns NULL with errno if no
 * thread can be started. End with watchdog_stop. */
struct watchdog *watchdog_start(size_t count);

/* Replaces the watch of worker number `worker` (from 0): `fd` may be used until
 * `deadline_ms` (clock_mono_ms). */
void watchdog_set(struct watchdog *dog, size_t worker, int fd,
    int64_t deadline_ms, enum watch what);

/* Sets a watch with WATCH_LINGER, for a quarter of the workers at once (at
 * least one). Returns false, and sets nothing, while that many linger. */
bool watchdog_linger(
    struct watchdog *dog, size_t worker, int fd, int64_t deadline_ms);

/* Ends the worker's watch; the worker may close the descriptor only afterwards.
 * Returns whether the deadline had passed and the connection was shut down. */
bool watchdog_clear(struct watchdog *dog, size_t worker);

/* Ends the thread and frees the watchdog, when no worker is watched.
 * NULL-safe. */
void watchdog_stop(struct watchdog *dog);

#endif
