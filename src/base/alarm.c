/*
 * Alarms: see alarm.h. The timer repeats, because its first signal may come
 * just before the system call begins to wait.
 */
#include "config.h"

#include "base/alarm.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define ALARM_SIGNAL    (SIGRTMIN + 5)
#define ALARM_REPEAT_NS 10000000

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

int
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

/* timer_delete delivers a pending signal before it returns. None is left for
 * later. */
void
alarm_stop(struct alarm *alarm)
{
	timer_delete(alarm->timer);
	pthread_sigmask(SIG_SETMASK, &alarm->old_mask, NULL);
}
