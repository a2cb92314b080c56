/*
 * Counts users: see shared.h.
 */
#include "config.h"

#include "endpoint/shared.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "spool/spool.h"

struct shared_config *
shared_config_new(struct config *config)
{
	struct shared_config *shared = xcalloc(1, sizeof *shared);

	shared->config = config;
	shared->users = 1;
	return shared;
}

struct shared_store *
shared_store_new(struct store *store, const char *path)
{
	struct shared_store *shared = xcalloc(1, sizeof *shared);

	shared->store = store;
	shared->path = xstrdup(path);
	shared->users = 1;
	return shared;
}

void
shared_config_drop(struct shared_config *shared)
{
	if (shared == NULL || --shared->users > 0)
		return;
	config_free(shared->config);
	free(shared);
}

void
shared_store_drop(struct shared_store *shared)
{
	if (shared == NULL || --shared->users > 0)
		return;
	store_close(shared->store);
	free(shared->path);
	free(shared);
}
