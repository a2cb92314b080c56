/*
 * Prints events as a list while the search runs, for people or as JSON lines.
 */
#ifndef HOOKSPOOL_LISTING_H
#define HOOKSPOOL_LISTING_H

#include "command/print.h"
#include "spool/spool.h"

struct progress;

/* Zero the other members to begin with. */
struct listing {
	bool is_json;
	struct progress *progress; /* cleared before printing */
	struct table table;
	int64_t count; /* added events */
};

/* Adds an event. A store_each_event; `arg` is the listing. Prints JSON at once,
 * rows for people in blocks of some hundred. Rows show only the end of each id,
 * long enough to tell the ids of the block apart. */
bool listing_add(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count);

/* Prints the remaining rows. */
void listing_end(struct listing *listing);

#endif
