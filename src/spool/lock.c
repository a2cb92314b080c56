/*
 * Locks between processes, all of them released by the kernel when a process
 * ends: the blocking flock with a deadline, and the lock of a byte.
 *
 * A blocking flock is fair, polling is not; but it knows no deadline. So a
 * timer of the waiting thread alone sends this thread a signal whose handler
 * does nothing, and flock returns with EINTR. The timer repeats: a signal
 * that comes just before flock begins to wait is not the last.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define ALARM_SIGNAL    (SIGRTMIN + 5)
#define ALARM_REPEAT_NS 10000000

struct alarm {
	timer_t timer;
	sigset_t old_mask;
};

static void
do_nothing(int number)
{
	(void)number;
}

static void
install_handler(void)
{
	struct sigaction action = {.sa_handler = do_nothing};

	sigemptyset(&action.sa_mask);
	sigaction(ALARM_SIGNAL, &action, NULL);
}

/* Breaks off this thread's system calls from `after_ms` on, again and again,
 * until alarm_stop. 0 or an errno. */
static int
alarm_start(struct alarm *alarm, int64_t after_ms)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sigevent event = {0};
	struct itimerspec times = {0};
	sigset_t mask;
	int error;

	pthread_once(&once, install_handler);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = ALARM_SIGNAL;
	event.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &alarm->timer) != 0)
		return errno;
	sigemptyset(&mask);
	sigaddset(&mask, ALARM_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &mask, &alarm->old_mask);
	times.it_value.tv_sec = after_ms / 1000;
	times.it_value.tv_nsec = after_ms % 1000 * 1000000;
	times.it_interval.tv_nsec = ALARM_REPEAT_NS;
	if (timer_settime(alarm->timer, 0, &times, NULL) == 0)
		return 0;
	error = errno;
	timer_delete(alarm->timer);
	pthread_sigmask(SIG_SETMASK, &alarm->old_mask, NULL);
	return error;
}

/* A signal that is on its way is delivered before timer_delete returns, so
 * none is left for later. */
static void
alarm_stop(struct alarm *alarm)
{
	timer_delete(alarm->timer);
	pthread_sigmask(SIG_SETMASK, &alarm->old_mask, NULL);
}

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
