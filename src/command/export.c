/*
 * hookspool export: prints events with bodies as JSON lines, oldest first.
 */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "command/command.h"
#include "command/filter.h"
#include "json/write.h"
#include "command/progress.h"
#include "command/rows.h"
#include "spool/spool.h"

enum { OPTION_JSON = FILTER_COUNT };

static const struct option_row export_options[] = {
    FILTER_ROWS(FILTER_STATES, "events with a delivery to this destination",
	"at most COUNT events, oldest first; 0 is all [0]"),
    [OPTION_JSON] = {"json", NULL,
	"print JSON lines, one for each event (always on)"},
    {.name = NULL}};

static int
export_read(struct call *call)
{
	int status = filter_read(call, 0);

	if (status == STATUS_FINE && call->operands[0] != NULL &&
	    (filter_is_given(call, FILTER_COUNT) || call->filter.limit > 0))
		return command_misuse(call, "an ID and a filter cannot be "
					    "given together; leave one out");
	return status;
}

struct exporting {
	struct progress progress;
	int64_t count;
};

/* Prints a whole line before stopping. */
static bool
print_line(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct exporting *exporting = arg;
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	rows_event(&out, event);
	jsonout_bytes(&out, "body", event->body, (size_t)event->body_bytes);
	rows_deliveries(&out, deliveries, count);
	jsonout_close(&out, '}');
	jsonout_end(&out);
	exporting->count++;
	if (isatty(STDOUT_FILENO))
		return !progress_is_stopped() && !ferror(stdout);
	return progress_show(&exporting->progress, exporting->count) &&
	       !ferror(stdout);
}

/* Shows progress while nothing matches. */
static bool
show(void *arg, int64_t looked_at)
{
	struct exporting *exporting = arg;

	(void)looked_at;
	if (isatty(STDOUT_FILENO))
		return !progress_is_stopped();
	return progress_show(&exporting->progress, exporting->count);
}

static enum store_status
export_one(struct store *store, const char *part, struct exporting *exporting)
{
	struct event_detail detail;
	char id[UUID_TEXT_SIZE];
	enum store_status status = store_find_event(store, part, id);

	if (status == STORE_OK)
		status = store_show_event(store, id, &detail);
	if (status != STORE_OK)
		return status;
	print_line(
	    exporting, &detail.event, detail.deliveries, detail.delivery_count);
	store_free_detail(&detail);
	return STORE_OK;
}

static int
run_export(struct call *call)
{
	struct exporting exporting = {.count = 0};
	enum store_status status = STORE_OK;
	char **id;

	progress_begin(&exporting.progress, "events");
	call->filter.progress = show;
	call->filter.progress_arg = &exporting;
	if (call->operands[0] == NULL)
		status = store_export(
		    call->store, &call->filter, print_line, &exporting);
	for (id = call->operands;
	     *id != NULL && status == STORE_OK && !progress_is_stopped(); id++)
		status = export_one(call->store, *id, &exporting);
	progress_end(&exporting.progress);
	if (status != STORE_OK)
		return command_fail("%s", store_why(call->store));
	if (progress_is_stopped())
		return command_fail(
		    "stopped after %lld events", (long long)exporting.count);
	return STATUS_FINE;
}

const struct command command_export = {.name = "export",
    .operands = "[ID...]",
    .operands_max = -1,
    .needs = NEEDS_STORE,
    .options = export_options,
    .read = export_read,
    .run = run_export,
    .summary = "write events with their bodies as JSON lines"};
