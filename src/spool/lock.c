/*
 * Locks between processes, released by the kernel when a process ends: the
 * blocking flock with a deadline, and the lock of a byte. A blocking flock is
 * fair, unlike polling, but has no deadline. So an alarm, for the waiting
 * thread alone, interrupts the flock.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/alarm.h"
#include "base/clock.h"

bool
lock_await(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - clock_mono_ms();
	struct timespec until;

	if (left_ms <= 0)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += left_ms / 1000;
	until.tv_nsec += left_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &until) !=
	       ETIMEDOUT;
}

int
lock_take(int fd, int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - clock_mono_ms();
	struct alarm alarm;
	int error;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK || left_ms <= 0)
		return errno;
	error = alarm_start(&alarm, left_ms);
	if (error != 0)
		return error;
	do {
		if (clock_mono_ms() >= deadline_ms)
			error = EWOULDBLOCK;
		else
			error = flock(fd, LOCK_EX) == 0 ? 0 : errno;
	} while (error == EINTR);
	alarm_stop(&alarm);
	return error;
}

bool
lock_byte(int fd, int64_t offset, short type)
{
	struct flock range = {.l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = offset,
	    .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &range) == 0;
}
