/*
 * What a monitoring plugin compares: the figures of a spool with limits that
 * are given as `oldest=1h,backlog=1000,dead=1,silence=12h`. Pure.
 */
#ifndef HOOKSPOOL_LIMITS_H
#define HOOKSPOOL_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum figure {
	FIGURE_OLDEST,  /* age of the oldest undelivered event, ms */
	FIGURE_BACKLOG, /* events to be routed, deliveries that are pending */
	FIGURE_DEAD,    /* dead deliveries */
	FIGURE_SILENCE, /* how long no event has come, ms */
	FIGURE_COUNT
};

struct limits {
	int64_t at[FIGURE_COUNT]; /* reached from then on; 0: no limit */
};

/* In the order of badness; as exit statuses these are Nagios'. */
enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL };

const char *level_name(enum level level); /* OK, WARNING, CRITICAL */

/* Reads the limits, NULL being none. False, with `why`, if they are not
 * right. */
bool limits_read(const char *text, struct limits *limits, struct buf *why);

/* The level of one figure, and of the worst of them. */
enum level limits_judge_one(enum figure figure, int64_t value,
    const struct limits *warn, const struct limits *crit);
enum level limits_judge(const int64_t *figures, const struct limits *warn,
    const struct limits *crit);

/* Appends the plugin's line without its end: level, figures, `|` and the
 * performance data. */
void limits_add_line(struct buf *buf, const int64_t *figures,
    const struct limits *warn, const struct limits *crit);

#endif
