/*
 * Destinations to which deliveries were made due, and what keeps them from
 * being tried at once all the same: said to who asked for that.
 */
#ifndef HOOKSPOOL_KEPT_BACK_H
#define HOOKSPOOL_KEPT_BACK_H

#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

struct jsonout;

/* Begins as zeros. */
struct kept_back {
	int64_t *ids; /* of the destinations */
	size_t count;
	struct destination_state *states; /* of all that are configured */
	size_t state_count;
};

/* A store_touched; `arg` is the struct kept_back. Each counts once. */
void kept_back_add(void *arg, int64_t destination);

/* Reads what keeps them; before that none is kept. */
enum store_status kept_back_read(
    struct kept_back *kept_back, struct store *store);

/* Says of each that is kept, by what, and what to do about it. */
void kept_back_print(const struct kept_back *kept_back);
void kept_back_add_json(const struct kept_back *kept_back, struct jsonout *out);

void kept_back_free(struct kept_back *kept_back);

#endif
