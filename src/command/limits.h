/*
 * What a monitoring plugin compares: the figures of a site with limits that
 * are given as `oldest=1h,dead=1,free=1G,relay`. Pure.
 */
#ifndef HOOKSPOOL_LIMITS_H
#define HOOKSPOOL_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum figure {
	FIGURE_OLDEST,   /* age of the oldest undelivered event, ms */
	FIGURE_BACKLOG,  /* events to be routed, deliveries that are pending */
	FIGURE_DEAD,     /* dead deliveries */
	FIGURE_SILENCE,  /* how long no event has come, ms */
	FIGURE_DOWN,     /* how long a destination has been down, ms */
	FIGURE_PAUSED,   /* how long a destination has been paused, ms */
	FIGURE_REFUSED,  /* refused bodies that are kept */
	FIGURE_ORPHANED, /* pending deliveries of removed destinations */
	FIGURE_SIZE,     /* of the spool, bytes */
	FIGURE_FREE,     /* on the disk, bytes: the one that should be large */
	FIGURE_RELAY,    /* 1: none runs, and none is started on demand */
	FIGURE_CONFIG,   /* 1: no relay would start with the configuration */
	FIGURE_COUNT
};

#define FIGURE_UNKNOWN INT64_C(-1)

struct limits {
	int64_t at[FIGURE_COUNT]; /* reached from then on; 0: no limit */
};

/* What is judged. */
struct health_figures {
	int64_t at[FIGURE_COUNT];    /* FIGURE_UNKNOWN: reaches no limit */
	const char *capture_problem; /* NULL: a notification would be stored;
					else critical, whatever the limits */
	const char *config_problem;  /* for people, with FIGURE_CONFIG */
};

/* In the order of badness; as exit statuses these are Nagios'. */
enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL };

const char *level_name(enum level level); /* OK, WARNING, CRITICAL */

/* Reads the limits, NULL being none. False, with `why`, if they are not
 * right. */
bool limits_read(const char *text, struct limits *limits, struct buf *why);

/* The level of the worst of them. */
enum level limits_judge(const struct health_figures *figures,
    const struct limits *warn, const struct limits *crit);

/* Appends the plugin's line without its end: level, what is wrong, figures,
 * `|` and the performance data. */
void limits_add_line(struct buf *buf, const struct health_figures *figures,
    const struct limits *warn, const struct limits *crit);

#endif
