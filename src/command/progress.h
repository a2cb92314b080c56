/*
 * Long work: how far it is, on a terminal and only if it takes more than a
 * second, and an orderly end where somebody stops it.
 */
#ifndef HOOKSPOOL_PROGRESS_H
#define HOOKSPOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* is counted: "deliveries"; constant */
	int64_t begun_ms;
	int64_t shown_ms; /* 0: nothing is on the terminal */
};

/* Also makes SIGINT, SIGTERM and SIGHUP ask for a stop from now on. */
void progress_begin(struct progress *progress, const char *what);

/* False: somebody has asked for a stop. */
bool progress_show(struct progress *progress, int64_t count);

/* Clears the line. */
void progress_end(struct progress *progress);

bool progress_is_stopped(void);

#endif
