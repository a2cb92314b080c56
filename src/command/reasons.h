/*
 * Why the deliveries of an event wait, and why a destination gets none.
 */
#ifndef HOOKSPOOL_REASONS_H
#define HOOKSPOOL_REASONS_H

#include "spool/spool.h"

struct jsonout;

struct reasons {
	const struct event_detail *detail;
	struct store_summary summary;
	struct config *config; /* NULL: no destination can be judged */
	struct buf problem;    /* why not */
};

/* Reads what the reasons are made of; the detail is borrowed. The
 * configuration is read again, with its destinations. Freed with
 * reasons_free in any case. */
enum store_status reasons_read(struct reasons *reasons, struct store *store,
    const struct event_detail *detail, const char *config_path);
void reasons_free(struct reasons *reasons);

/* A line for each; in JSON the members `waiting` and `unwanted`. */
void reasons_print(const struct reasons *reasons);
void reasons_add_json(const struct reasons *reasons, struct jsonout *out);

#endif
