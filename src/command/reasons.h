/*
 * Explains why the deliveries of an event wait, and why a destination gets
 * none.
 */
#ifndef HOOKSPOOL_REASONS_H
#define HOOKSPOOL_REASONS_H

#include "spool/spool.h"

struct jsonout;

struct reasons {
	const struct event_detail *detail;
	struct store_summary summary;
	struct config *config; /* NULL: the filters are unknown */
	struct buf problem;    /* why `config` is NULL */
};

/* Reads what the explanations need, including the whole configuration. Borrows
 * `detail`. Always free with reasons_free. */
enum store_status reasons_read(struct reasons *reasons, struct store *store,
    const struct event_detail *detail, const char *config_path);
void reasons_free(struct reasons *reasons);

/* Print one line per reason; or add the members `waiting` and `unwanted`. */
void reasons_print(const struct reasons *reasons);
void reasons_add_json(const struct reasons *reasons, struct jsonout *out);

#endif
