/*
 * The watchdog: see watchdog.h. Most new deadlines are later than the one the
 * thread sleeps until, so only an earlier deadline wakes the thread.
 */
#include "config.h"

#include "web/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define LINGER_SHARE 4 /* one worker in this many may linger */

struct watched {
	int fd; /* -1: nothing to watch */
	int64_t deadline_ms;
	enum watch what;
	bool has_fired;
};

struct watchdog {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_stopping;
	int64_t wakes_at_ms; /* when the thread wakes; INT64_MAX: never */
	size_t count;
	struct watched *watched; /* one for each worker */
};

static void
fire(struct watched *w)
{
	shutdown(w->fd, w->what == WATCH_WRITE ? SHUT_RDWR : SHUT_RD);
	w->has_fired = true;
}

/* Shuts down overdue connections. Returns the next deadline. */
static int64_t
fire_due(struct watchdog *dog, int64_t now_ms)
{
	int64_t next_ms = INT64_MAX;
	struct watched *w;

	for (w = dog->watched; w < dog->watched + dog->count; w++) {
		if (w->fd < 0 || w->has_fired)
			continue;
		if (w->deadline_ms <= now_ms)
			fire(w);
		else if (w->deadline_ms < next_ms)
			next_ms = w->deadline_ms;
	}
	return next_ms;
}

static void
sleep_until(struct watchdog *dog, int64_t at_ms)
{
	struct timespec at = {
	    .tv_sec = (time_t)(at_ms / 1000),
	    .tv_nsec = (long)(at_ms % 1000) * 1000000,
	};

	if (at_ms == INT64_MAX)
		pthread_cond_wait(&dog->changed, &dog->mutex);
	else
		pthread_cond_timedwait(&dog->changed, &dog->mutex, &at);
}

static void *
watch(void *arg)
{
	struct watchdog *dog = arg;

	pthread_mutex_lock(&dog->mutex);
	while (!dog->is_stopping) {
		dog->wakes_at_ms = fire_due(dog, clock_mono_ms());
		sleep_until(dog, dog->wakes_at_ms);
	}
	pthread_mutex_unlock(&dog->mutex);
	return NULL;
}

static void
init_monotonic_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

static void
free_watchdog(struct watchdog *dog)
{
	pthread_cond_destroy(&dog->changed);
	pthread_mutex_destroy(&dog->mutex);
	free(dog->watched);
	free(dog);
}

struct watchdog *
watchdog_start(size_t count)
{
	struct watchdog *dog = xcalloc(1, sizeof *dog);
	size_t i;
	int error;

	pthread_mutex_init(&dog->mutex, NULL);
	init_monotonic_cond(&dog->changed);
	dog->wakes_at_ms = INT64_MAX;
	dog->count = count;
	dog->watched = xcalloc(count, sizeof *dog->watched);
	for (i = 0; i < count; i++)
		dog->watched[i].fd = -1;
	error = pthread_create(&dog->thread, NULL, watch, dog);
	if (error != 0) {
		free_watchdog(dog);
		errno = error;
		return NULL;
	}
	return dog;
}

/* Call with the lock. */
static void
set(struct watchdog *dog, size_t worker, struct watched watched)
{
	dog->watched[worker] = watched;
	if (watched.deadline_ms < dog->wakes_at_ms)
		pthread_cond_signal(&dog->changed);
}

void
watchdog_set(struct watchdog *dog, size_t worker, int fd, int64_t deadline_ms,
    enum watch what)
{
	pthread_mutex_lock(&dog->mutex);
	set(dog, worker, (struct watched){fd, deadline_ms, what, false});
	pthread_mutex_unlock(&dog->mutex);
}

/* Returns whether one more worker may linger. Call with the lock. */
static bool
has_room(const struct watchdog *dog)
{
	size_t i, count = 0, max = dog->count / LINGER_SHARE;

	for (i = 0; i < dog->count; i++)
		if (dog->watched[i].fd >= 0 &&
		    dog->watched[i].what == WATCH_LINGER)
			count++;
	return count < (max > 0 ? max : 1);
}

bool
watchdog_linger(
    struct watchdog *dog, size_t worker, int fd, int64_t deadline_ms)
{
	bool has_room_left;

	pthread_mutex_lock(&dog->mutex);
	has_room_left = has_room(dog);
	if (has_room_left)
		set(dog, worker,
		    (struct watched){fd, deadline_ms, WATCH_LINGER, false});
	pthread_mutex_unlock(&dog->mutex);
	return has_room_left;
}

bool
watchdog_clear(struct watchdog *dog, size_t worker)
{
	bool has_fired;

	pthread_mutex_lock(&dog->mutex);
	has_fired = dog->watched[worker].has_fired;
	dog->watched[worker].fd = -1;
	dog->watched[worker].has_fired = false;
	pthread_mutex_unlock(&dog->mutex);
	return has_fired;
}

void
watchdog_stop(struct watchdog *dog)
{
	if (dog == NULL)
		return;
	pthread_mutex_lock(&dog->mutex);
	dog->is_stopping = true;
	pthread_cond_signal(&dog->changed);
	pthread_mutex_unlock(&dog->mutex);
	pthread_join(dog->thread, NULL);
	free_watchdog(dog);
}
