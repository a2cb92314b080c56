/*
 * hookspool list: events and their deliveries, newest first.
 */
#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "command/command.h"
#include "command/filter.h"
#include "command/follow.h"
#include "command/listing.h"
#include "command/progress.h"
#include "spool/spool.h"

#define LIMIT_DEFAULT 50

#define FOLLOW_DEFAULT 10

enum { OPTION_FOLLOW = FILTER_COUNT, OPTION_JSON };

static const struct option_row list_options[] = {
    FILTER_ROWS(FILTER_STATES, "events with a delivery to this destination",
	"at most COUNT events; 0 is all [50]"),
    [OPTION_FOLLOW] = {"follow", NULL,
	"then show each new event, until Ctrl-C"},
    [OPTION_JSON] = {"json", NULL,
	"print JSON lines, one object for each event"},
    {.name = NULL}};

static int
list_read(struct call *call)
{
	static const int later[] = {FILTER_STATE, FILTER_TO, FILTER_UNTIL};
	bool is_following = call->values[OPTION_FOLLOW] != NULL;
	size_t i;

	for (i = 0; is_following && i < sizeof later / sizeof *later; i++)
		if (call->values[later[i]] != NULL)
			return command_misuse(call,
			    "--follow shows new events; leave out --%s",
			    call->command->options[later[i]].name);
	return filter_read(call, is_following ? FOLLOW_DEFAULT : LIMIT_DEFAULT);
}

/* Prints the number of events if known, or cheap to count. */
static void
print_total(struct call *call, int64_t shown)
{
	struct store_summary summary;

	if (call->filter.limit == 0 || shown < (int64_t)call->filter.limit) {
		printf("%lld %s\n", (long long)shown,
		    shown == 1 ? "event" : "events");
	} else if (filter_is_given(call, FILTER_COUNT)) {
		printf("the newest %lld; more may match: --limit 0 shows all\n",
		    (long long)shown);
	} else if (store_summarize(call->store, clock_wall_ms(), &summary) ==
		   STORE_OK) {
		printf("the newest %lld of %lld events; --limit 0 shows all\n",
		    (long long)shown, (long long)summary.events);
		store_free_summary(&summary);
	}
}

static bool
show(void *arg, int64_t looked_at)
{
	return progress_show(arg, looked_at);
}

static int
run_list(struct call *call)
{
	struct progress progress;
	struct listing listing = {.is_json = call->values[OPTION_JSON] != NULL,
	    .progress = &progress};
	enum store_status listed;

	if (call->values[OPTION_FOLLOW] != NULL)
		return follow(call, listing.is_json);
	progress_begin(&progress, "events searched");
	call->filter.progress = show;
	call->filter.progress_arg = &progress;
	listed = store_list(call->store, &call->filter, listing_add, &listing);
	progress_end(&progress);
	listing_end(&listing);
	if (listed != STORE_OK)
		return command_fail("%s", store_why(call->store));
	if (progress_is_stopped())
		return command_fail(
		    "stopped before the end: more events may match");
	if (!listing.is_json)
		print_total(call, listing.count);
	return STATUS_FINE;
}

const struct command command_list = {.name = "list",
    .operands = "",
    .needs = NEEDS_STORE,
    .options = list_options,
    .read = list_read,
    .run = run_list,
    .summary = "list events and their deliveries, newest first"};
