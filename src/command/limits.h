/*
 * Compares a site's figures with limits such as
 * `oldest=1h,dead=1,free=1G,relay`, for a monitoring plugin. Pure.
 */
#ifndef HOOKSPOOL_LIMITS_H
#define HOOKSPOOL_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum figure {
	FIGURE_OLDEST,   /* age of the oldest undelivered event, ms */
	FIGURE_BACKLOG,  /* unrouted events and pending deliveries */
	FIGURE_DEAD,     /* dead deliveries */
	FIGURE_SILENCE,  /* time since the last event, ms */
	FIGURE_DOWN,     /* longest time a destination is down, ms */
	FIGURE_PAUSED,   /* longest time a destination is paused, ms */
	FIGURE_REFUSED,  /* kept refused bodies */
	FIGURE_ORPHANED, /* pending deliveries of removed destinations */
	FIGURE_SIZE,     /* of the spool, in bytes */
	FIGURE_FREE,     /* on the disk, in bytes; bad below a limit */
	FIGURE_RELAY,    /* 1: no relay runs, and none starts on demand */
	FIGURE_CONFIG,   /* 1: no relay would start with the configuration */
	FIGURE_COUNT
};

#define FIGURE_UNKNOWN INT64_C(-1)

struct limits {
	int64_t at[FIGURE_COUNT]; /* reached at this value; 0: no limit */
};

/* The figures to judge. */
struct health_figures {
	int64_t at[FIGURE_COUNT];    /* FIGURE_UNKNOWN reaches no limit */
	const char *capture_problem; /* why no notification can be stored:
					always critical; NULL: no problem */
	const char *config_problem;  /* for people, with FIGURE_CONFIG */
};

/* In rising order; equal to the exit statuses of Nagios. */
enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL };

const char *level_name(enum level level); /* OK, WARNING, CRITICAL */

/* Reads the limits; NULL: none. Returns false with `why` if they are
 * malformed. */
bool limits_read(const char *text, struct limits *limits, struct buf *why);

/* Returns the worst figure's level. */
enum level limits_judge(const struct health_figures *figures,
    const struct limits *warn, const struct limits *crit);

/* Appends the plugin's line without newline: level, what is wrong, figures, `|`
 * and performance data. */
void limits_add_line(struct buf *buf, const struct health_figures *figures,
    const struct limits *warn, const struct limits *crit);

#endif
