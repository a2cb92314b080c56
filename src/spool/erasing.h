/*
 * An erasure on request under way. For the files of spool/ only.
 */
#ifndef HOOKSPOOL_ERASING_H
#define HOOKSPOOL_ERASING_H

#include <sqlite3.h>

#include "event/mention.h"
#include "spool/spool.h"

#define LOOK_MAX_COUNT  256 /* rows looked at at once */
#define ERASE_MAX_COUNT 50  /* erased in one transaction */

struct erasing {
	const struct erasure *erasure;
	const struct erase_options *options;
	struct erase_counts *counts;
	struct mention mention;
	bool has_mention; /* it asks for something */
	bool is_stopped;

	/* What was found at the last look. */
	int64_t found[ERASE_MAX_COUNT];
	size_t found_count;
	int64_t found_bytes;
};

bool erasing_asks_for_text(const struct erasing *erasing);
bool erasing_is_dry(const struct erasing *erasing);

/* Tells how far it is; false: somebody wants it to stop. */
bool erasing_goes_on(struct erasing *erasing);

typedef enum mention_found (*find_function)(
    const char *text, size_t len, const struct mention *what);

/* Whether the text in `column` is one of those asked for. */
enum mention_found erasing_find(const struct erasing *erasing,
    sqlite3_stmt *row, int column, find_function find);

/* Ends a run of sql_next that was broken off or came to its end. */
enum store_status erasing_end_rows(
    sqlite3_stmt *statement, enum store_status status);

/* What is erased beside events: refused bodies, answers to other events. */
enum store_status erasing_refusals(
    struct store *store, struct erasing *erasing);
enum store_status erasing_answers(struct store *store, struct erasing *erasing);

#endif
