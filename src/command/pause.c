/*
 * hookspool pause and resume: stop and restart deliveries to a destination.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "command/command.h"
#include "json/write.h"
#include "command/names.h"
#include "command/nudge.h"
#include "command/print.h"
#include "spool/spool.h"

enum {
	OPTION_JSON,
	OPTION_REASON /* of pause only */
};

static const struct option_row pause_options[] = {
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    [OPTION_REASON] = {"reason", "TEXT", "reason that status shows"},
    {.name = NULL}};

static const struct option_row resume_options[] = {
    [OPTION_JSON] = {"json", NULL, "print one JSON document"}, {.name = NULL}};

/* The results, one per name. */
struct changes {
	const char *changed; /* word for a changed destination */
	bool *is_changed;    /* per operand; false: unchanged */
	int status;
};

static void
add_names(
    struct jsonout *out, char **names, const bool *is_changed, bool is_wanted)
{
	for (; *names != NULL; names++, is_changed++)
		if (*is_changed == is_wanted)
			jsonout_text(out, NULL, *names);
}

static void
print_json(char **names, const struct changes *changes, const char *relay)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_open(&out, changes->changed, '[');
	add_names(&out, names, changes->is_changed, true);
	jsonout_close(&out, ']');
	jsonout_open(&out, "unchanged", '[');
	add_names(&out, names, changes->is_changed, false);
	jsonout_close(&out, ']');
	jsonout_text(&out, "relay", relay);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

/* Reports and records one result. */
static void
note(const struct call *call, struct changes *changes, size_t i,
    enum store_status status)
{
	if (status != STORE_OK && status != STORE_REFUSED) {
		changes->status = command_fail("%s", store_why(call->store));
		return;
	}
	changes->is_changed[i] = status == STORE_OK;
	if (call->values[OPTION_JSON] != NULL)
		return;
	if (status == STORE_OK) {
		print_safe(call->operands[i]);
		printf(" is %s\n", changes->changed);
	} else {
		print_safe(store_why(call->store));
		putchar('\n');
	}
}

/* Notifies the relay even if only some changes succeeded. */
static int
conclude(struct call *call, const struct changes *changes)
{
	enum nudge nudge = nudge_relay(call);

	if (changes->status != STATUS_FINE)
		return changes->status;
	if (call->values[OPTION_JSON] != NULL)
		print_json(call->operands, changes, nudge_name(nudge));
	else
		nudge_print(nudge);
	return STATUS_FINE;
}

static enum store_status
pause_one(struct call *call, const char *name)
{
	const char *reason = call->values[OPTION_REASON];

	if (reason == NULL || *reason == '\0')
		reason = "no reason given";
	return store_pause(call->store, name, call->user, reason);
}

static enum store_status
resume_one(struct call *call, const char *name)
{
	return store_resume(call->store, name);
}

static int
run_each(struct call *call, const char *changed,
    enum store_status (*run)(struct call *call, const char *name))
{
	struct changes changes = {.changed = changed, .status = STATUS_FINE};
	size_t count = 0, i;
	int status;

	while (call->operands[count] != NULL)
		count++;
	changes.is_changed = xcalloc(count, sizeof *changes.is_changed);
	for (i = 0; i < count; i++)
		if (!names_check(call, call->operands[i]))
			changes.status = STATUS_WRONG;
		else
			note(call, &changes, i, run(call, call->operands[i]));
	status = conclude(call, &changes);
	free(changes.is_changed);
	return status;
}

static int
run_pause(struct call *call)
{
	return run_each(call, "paused", pause_one);
}

static int
run_resume(struct call *call)
{
	return run_each(call, "resumed", resume_one);
}

const struct command command_pause = {.name = "pause",
    .operands = "NAME...",
    .operands_min = 1,
    .operands_max = -1,
    .needs = NEEDS_CHANGE,
    .options = pause_options,
    .run = run_pause,
    .summary = "stop deliveries to a destination until it is resumed"};

const struct command command_resume = {.name = "resume",
    .operands = "NAME...",
    .operands_min = 1,
    .operands_max = -1,
    .needs = NEEDS_CHANGE,
    .options = resume_options,
    .run = run_resume,
    .summary = "end the pause or hold of a destination"};
