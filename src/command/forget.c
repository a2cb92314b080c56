/*
 * hookspool forget: erases everything about a destination that is no longer
 * configured.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "json/write.h"
#include "command/names.h"
#include "command/print.h"
#include "command/progress.h"
#include "conf/conf.h"
#include "spool/spool.h"

enum { OPTION_DRY_RUN, OPTION_JSON };

static const struct option_row forget_options[] = {
    [OPTION_DRY_RUN] = {"dry-run", NULL, "count, and change nothing"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};

static int64_t
total(const struct forget_counts *counts)
{
	return counts->pending + counts->delivered + counts->dead +
	       counts->dropped;
}

static bool
note_step(void *arg, const struct forget_counts *counts)
{
	return progress_show(arg, total(counts));
}

static void
print_json(const char *name, bool is_dry, const struct forget_counts *counts)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_text(&out, "destination", name);
	jsonout_bool(&out, "dry_run", is_dry);
	jsonout_number(&out, "orphaned", counts->pending);
	jsonout_number(&out, "delivered", counts->delivered);
	jsonout_number(&out, "dead", counts->dead);
	jsonout_number(&out, "dropped", counts->dropped);
	jsonout_bool(&out, "forgotten", counts->is_whole);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

static void
print_text(const char *name, bool is_dry, const struct forget_counts *counts)
{
	if (is_dry)
		puts("dry run, nothing was erased:");
	printf("%8lld  orphaned deliveries\n%8lld  delivered\n%8lld  dead\n"
	       "%8lld  dropped\n",
	    (long long)counts->pending, (long long)counts->delivered,
	    (long long)counts->dead, (long long)counts->dropped);
	if (counts->is_whole) {
		print_safe(name);
		puts(" is forgotten");
	}
}

static bool
is_configured(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->destination_count; i++)
		if (strcmp(config->destinations[i].name, name) == 0)
			return true;
	return false;
}

static int
run_forget(struct call *call)
{
	const char *name = call->operands[0];
	bool is_dry = call->values[OPTION_DRY_RUN] != NULL;
	struct forget_options options = {
	    .mode = is_dry ? CHANGE_COUNT : CHANGE_MAKE, .progress = note_step};
	struct forget_counts counts;
	struct progress progress;
	enum store_status status;

	if (is_configured(call->config, name))
		return command_fail(
		    "%s has a [destination %s]: remove it there, run hookspool "
		    "reload, then run this again",
		    call->config->path, name);
	if (!names_check(call, name))
		return STATUS_WRONG;
	options.progress_arg = &progress;
	progress_begin(&progress, "deliveries");
	status = store_forget(call->store, name, &options, &counts);
	progress_end(&progress);
	if (status != STORE_OK)
		return command_fail("%s", store_why(call->store));
	if (call->values[OPTION_JSON] != NULL)
		print_json(name, is_dry, &counts);
	else
		print_text(name, is_dry, &counts);
	if (!is_dry && !counts.is_whole)
		return command_fail("stopped before the end; the deliveries "
				    "erased so far stay erased");
	return STATUS_FINE;
}

const struct command command_forget = {.name = "forget",
    .operands = "NAME",
    .operands_min = 1,
    .operands_max = 1,
    .needs = NEEDS_ALL,
    .options = forget_options,
    .run = run_forget,
    .summary = "erase the deliveries of a removed destination"};
