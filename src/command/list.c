/*
 * hookspool list: events and their deliveries, newest first.
 */
#include "config.h"

#include "command/command.h"
#include "command/filter.h"
#include "command/listing.h"
#include "command/progress.h"
#include "spool/spool.h"

#define LIMIT_DEFAULT 50

enum { OPTION_JSON = FILTER_COUNT };

const struct option_row list_options[] = {
    FILTER_ROWS("with a delivery to this destination",
	"at most so many, 0 for all [50]"),
    [OPTION_JSON] = {"json", NULL, "JSON lines, one object an event"},
    {.name = NULL}};

int
list_read(struct call *call)
{
	return filter_read(call, LIMIT_DEFAULT);
}

static bool
show(void *arg, int64_t looked_at)
{
	return progress_show(arg, looked_at);
}

int
command_list(struct call *call)
{
	struct progress progress;
	struct listing listing = {.is_json = call->values[OPTION_JSON] != NULL,
	    .progress = &progress};
	enum store_status listed;

	progress_begin(&progress, "events looked at");
	call->filter.progress = show;
	call->filter.progress_arg = &progress;
	listed = store_list(call->store, &call->filter, listing_add, &listing);
	progress_end(&progress);
	listing_end(&listing);
	if (listed != STORE_OK)
		return command_fail("%s", store_why(call->store));
	if (progress_is_stopped())
		return command_fail("stopped before the end: there may be "
				    "more");
	return STATUS_FINE;
}
