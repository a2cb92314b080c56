/*
 * Configurations in use: see era.h.
 */
#include "config.h"

#include "relay/era.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "conf/conf.h"

struct era *
era_new(const struct config *config, struct config *owned)
{
	struct era *era = xcalloc(1, sizeof *era);

	*era = (struct era){.config = config, .owned = owned, .users = 1};
	return era;
}

struct era *
era_hold(struct era *era)
{
	era->users++;
	return era;
}

void
era_drop(struct era *era)
{
	if (era == NULL)
		return;
	assert(era->users > 0);
	if (--era->users > 0)
		return;
	config_free(era->owned);
	free(era);
}
