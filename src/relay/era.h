/*
 * A configuration that is in use: it lasts until the last attempt that was
 * begun with it has been settled, also when a newer one has come.
 */
#ifndef HOOKSPOOL_ERA_H
#define HOOKSPOOL_ERA_H

#include <stddef.h>

struct config;

struct era {
	const struct config *config;
	struct config *owned; /* freed at the end; NULL: it is the caller's */
	size_t users;
};

/* One user: the caller. `owned` is `config` or NULL. */
struct era *era_new(const struct config *config, struct config *owned);

/* One user more; returns `era`. */
struct era *era_hold(struct era *era);

/* One user less; the last one frees it. NULL-safe. */
void era_drop(struct era *era);

#endif
