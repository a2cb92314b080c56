/*
 * Events as a list, for people or as JSON lines, while they are looked for.
 */
#ifndef HOOKSPOOL_LISTING_H
#define HOOKSPOOL_LISTING_H

#include "command/print.h"
#include "spool/spool.h"

struct progress;

/* Begins with the rest zero. */
struct listing {
	bool is_json;
	struct progress *progress; /* makes way for what is printed */
	struct table table;
	int64_t count; /* events that were added */
};

/* A store_each_event; `arg` is the listing. JSON is printed at once, rows for
 * people some hundred at a time. Of an id these show the end, as much of it as
 * tells it from the others of these rows. */
bool listing_add(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count);

/* Prints the rest. */
void listing_end(struct listing *listing);

#endif
