/*
 * The bodies held in memory for running attempts: each body once, for any
 * number of destinations, and all within one budget.
 */
#ifndef HOOKSPOOL_BODIES_H
#define HOOKSPOOL_BODIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

#define BODIES_MAX_BYTES   (64 * (size_t)1048576) /* the budget */
#define BODIES_SLOTS_COUNT 256

struct body {
	int64_t seq;
	char *bytes; /* owned */
	size_t len;
	size_t users;
	struct bodies *among;
	struct body *next; /* next in the slot */
};

/* Zeroed to begin with, except the budget. */
struct bodies {
	size_t budget_bytes;
	size_t held_bytes;
	struct body *slots[BODIES_SLOTS_COUNT]; /* by seq */
	bool is_freed; /* room was freed; reset by the caller */
};

/* Takes the body of `due`'s event for one more user. NULL with STORE_OK: no
 * room now. A body that `is_owed` is given even beyond the budget; the caller
 * owes one body to each destination, which otherwise might wait for ever.
 * STORE_GONE: the event was erased. */
enum store_status bodies_take(struct bodies *bodies, struct store *store,
    const struct due *due, bool is_owed, struct body **body);

/* Removes one user; the last one frees the body. NULL-safe. */
void bodies_drop(struct body *body);

#endif
