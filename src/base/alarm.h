/*
 * Breaking off a system call of this thread that waits, by a signal whose
 * handler does nothing: the call returns with EINTR. For calls that know
 * neither a deadline nor O_NONBLOCK.
 */
#ifndef HOOKSPOOL_ALARM_H
#define HOOKSPOOL_ALARM_H

#include <signal.h>
#include <stdint.h>
#include <time.h>

struct alarm {
	timer_t timer;
	sigset_t old_mask;
};

/* Breaks off this thread's system calls from `after_ms` on, again and again,
 * until alarm_stop. 0, or an errno and then there is nothing to stop. */
int alarm_start(struct alarm *alarm, int64_t after_ms);
void alarm_stop(struct alarm *alarm);

#endif
