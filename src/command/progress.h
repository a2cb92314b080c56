/*
 * Shows the progress of work longer than a second, on a terminal only, and lets
 * a signal stop the work in order.
 */
#ifndef HOOKSPOOL_PROGRESS_H
#define HOOKSPOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* name of what is counted: "deliveries"; constant */
	int64_t begun_ms;
	int64_t shown_ms; /* 0: nothing is on the terminal */
};

/* Begins. From now on SIGINT, SIGTERM and SIGHUP ask for a stop. */
void progress_begin(struct progress *progress, const char *what);

/* Shows the count. Returns false if a stop was asked for. */
bool progress_show(struct progress *progress, int64_t count);

/* Clears the progress line. */
void progress_end(struct progress *progress);

bool progress_is_stopped(void);

#endif
