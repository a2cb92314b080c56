/*
 * The bodies that are in memory since attempts send them: each once, however
 * many destinations it goes to, and all together within a budget.
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
	struct body *next; /* in its slot */
};

/* All zero, but for the budget, to begin with. */
struct bodies {
	size_t budget_bytes;
	size_t held_bytes;
	struct body *slots[BODIES_SLOTS_COUNT]; /* by seq */
	bool is_freed; /* there is more room than there was; for the caller to
			  take back */
};

/* The body of the event of `due`, for one user more; NULL with
 * STORE_OK: there is no room for it now. A body that `is_owed` is given beyond
 * the budget too: one for each destination always is, or it would wait for
 * ever. STORE_GONE: the event was erased. */
enum store_status bodies_take(struct bodies *bodies, struct store *store,
    const struct due *due, bool is_owed, struct body **body);

/* One user less; the last one frees it. NULL-safe. */
void bodies_drop(struct body *body);

#endif
