/*
 * Interrupts a system call in which this thread waits, with a signal whose
 * handler does nothing: the call fails with EINTR. For calls without a deadline
 * that cannot be made non-blocking.
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

/* Interrupts this thread's system calls from `after_ms` on, repeatedly, until
 * alarm_stop. Returns 0, or an errno; after an errno there is nothing to
 * stop. */
int alarm_start(struct alarm *alarm, int64_t after_ms);
void alarm_stop(struct alarm *alarm);

#endif
