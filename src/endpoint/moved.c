/*
 * Reports a change of the spool's path: see moved.h.
 */
#include "config.h"

#include "endpoint/moved.h"

#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "spool/spool.h"

#define WHY_MAX_BYTES 4096

/* Counts the undelivered in the spool at `path`; -1: unknown. */
static int64_t
count_undelivered(const char *path)
{
	const struct store_options options = {
	    .path = path, .access = STORE_READ};
	struct store_summary summary;
	struct store *store;
	int64_t count = -1;
	struct buf why;
	size_t i;

	buf_init(&why, WHY_MAX_BYTES);
	if (store_open(&options, &store, &why) == STORE_OK &&
	    store_summarize(store, clock_wall_ms(), &summary) == STORE_OK) {
		count = summary.events_new;
		for (i = 0; i < summary.destination_count; i++)
			count += summary.destinations[i].pending;
		store_free_summary(&summary);
	}
	store_close(store);
	buf_free(&why);
	return count;
}

static void
tell_of_left_behind(const char *old, const char *new)
{
	int64_t count = count_undelivered(old);

	if (count == 0)
		log_note(LOG_LEVEL_INFO, "the spool is in another folder now",
		    LOG_TEXT("old", old), LOG_TEXT("new", new));
	else
		log_note(LOG_LEVEL_ERROR,
		    "the spool is in another folder now, and undelivered "
		    "events are left in the old one; deliver them with "
		    "`hookspool -c COPY relay --if-pending`, COPY being a copy "
		    "of the configuration with the old path",
		    LOG_TEXT("old", old), LOG_TEXT("new", new),
		    LOG_NUMBER("undelivered", count));
}

void
moved_from(const char *old, const struct config *config)
{
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	config_keep(config, old, &why); /* may fail if the old folder is
					   unusable */
	buf_free(&why);
	tell_of_left_behind(old, config->spool.path);
}
