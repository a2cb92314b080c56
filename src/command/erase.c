/*
 * hookspool erase: what is known of a ticket, a note or a person, or is older
 * than some time, leaves the spool; how much, and whether all of it, is said.
 */
#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "command/command.h"
#include "command/jsonout.h"
#include "command/nudge.h"
#include "command/progress.h"
#include "command/when.h"
#include "spool/spool.h"

enum {
	OPTION_TICKET,
	OPTION_NOTE,
	OPTION_AUTHOR,
	OPTION_BEFORE,
	OPTION_DRY_RUN,
	OPTION_JSON
};

const struct option_row erase_options[] = {
    [OPTION_TICKET] = {"ticket", "ID", "what names this ticket anywhere"},
    [OPTION_NOTE] = {"note", "ID", "what names this note anywhere"},
    [OPTION_AUTHOR] = {"author", "EMAIL", "what has this address anywhere"},
    [OPTION_BEFORE] = {"before", "AGE",
	"received before, such as 90d or 2006-01-02"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "only count"},
    [OPTION_JSON] = {"json", NULL, "one JSON document"},
    {.name = NULL}};

/* Also into `erasure`; borrowed. */
static int
read_erasure(const struct call *call, struct erasure *erasure)
{
	const char *const *values = call->values, *why = NULL;
	int option;

	*erasure = (struct erasure){.ticket = values[OPTION_TICKET],
	    .note = values[OPTION_NOTE],
	    .email = values[OPTION_AUTHOR]};
	for (option = OPTION_TICKET; option <= OPTION_BEFORE; option++)
		if (values[option] != NULL && *values[option] == '\0')
			return command_misuse(call,
			    "--%s \"\": it must not be empty",
			    erase_options[option].name);
	erasure->before.is_given = values[OPTION_BEFORE] != NULL;
	if (erasure->before.is_given)
		why = when_read(values[OPTION_BEFORE], clock_wall_ms(),
		    &erasure->before.ms);
	if (why != NULL)
		return command_misuse(
		    call, "--before \"%s\": %s", values[OPTION_BEFORE], why);
	if (erasure->ticket == NULL && erasure->note == NULL &&
	    erasure->email == NULL && !erasure->before.is_given)
		return command_misuse(
		    call, "say what: --ticket, --note, --author or --before");
	return STATUS_FINE;
}

int
erase_read(struct call *call)
{
	struct erasure erasure;

	return read_erasure(call, &erasure);
}

static bool
show(void *arg, const struct erase_counts *counts)
{
	return progress_show(arg, counts->looked_at);
}

static void
print_text(const struct erase_counts *counts, bool is_dry)
{
	puts(is_dry ? "dry run, nothing was erased; it would be:" : "erased:");
	printf("%8lld  events, %lld of them not routed yet\n",
	    (long long)counts->events, (long long)counts->events_new);
	printf("%8lld  deliveries of these, still to be made\n",
	    (long long)counts->undelivered);
	printf("%8lld  refused bodies, %lld of them no whole JSON\n",
	    (long long)counts->refused, (long long)counts->refused_text);
	printf("%8lld  answers of destinations to other events\n",
	    (long long)counts->answers);
}

static void
print_json(const struct erase_counts *counts, bool is_dry)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_bool(&out, "dry_run", is_dry);
	jsonout_number(&out, "events", counts->events);
	jsonout_number(&out, "events_new", counts->events_new);
	jsonout_number(&out, "undelivered", counts->undelivered);
	jsonout_number(&out, "refused", counts->refused);
	jsonout_number(&out, "refused_text", counts->refused_text);
	jsonout_number(&out, "answers", counts->answers);
	jsonout_bool(&out, "clean", !is_dry && counts->is_clean);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

/* What was erased is said even where the rest failed. */
static int
conclude(struct call *call, const struct erase_counts *counts,
    enum store_status erased)
{
	bool is_dry = call->values[OPTION_DRY_RUN] != NULL;
	int status = STATUS_FINE;

	if (call->values[OPTION_JSON] != NULL)
		print_json(counts, is_dry);
	else
		print_text(counts, is_dry);
	if (progress_is_stopped())
		status = command_fail("stopped before the end: there may be "
				      "more");
	else if (erased != STORE_OK || (!is_dry && !counts->is_clean))
		status = command_fail("%s", store_why(call->store));
	if (counts->undelivered > 0 && !is_dry)
		nudge_relay(call);
	return status;
}

int
command_erase(struct call *call)
{
	struct progress progress;
	const struct erase_options options = {
	    .mode = call->values[OPTION_DRY_RUN] != NULL ? CHANGE_COUNT
							 : CHANGE_MAKE,
	    .progress = show,
	    .progress_arg = &progress};
	struct erase_counts counts = {.events = 0};
	struct erasure erasure;
	enum store_status erased;
	int status = read_erasure(call, &erasure);

	if (status != STATUS_FINE)
		return status;
	progress_begin(&progress, "events looked at");
	erased = store_erase(call->store, &erasure, &options, &counts);
	progress_end(&progress);
	return conclude(call, &counts, erased);
}
