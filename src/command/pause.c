/*
 * hookspool pause and resume: whether the relay tries a destination.
 */
#include "config.h"

#include <stdio.h>

#include "command/command.h"
#include "command/jsonout.h"
#include "command/names.h"
#include "command/nudge.h"
#include "command/print.h"
#include "spool/spool.h"

enum {
	OPTION_JSON,
	OPTION_REASON /* of pause alone */
};

const struct option_row pause_options[] = {
    [OPTION_JSON] = {"json", NULL, "one JSON document"},
    [OPTION_REASON] = {"reason", "TEXT", "what status shows as the reason"},
    {.name = NULL}};

const struct option_row resume_options[] = {
    [OPTION_JSON] = {"json", NULL, "one JSON document"}, {.name = NULL}};

static void
print_text(char **names, const char *state)
{
	for (; *names != NULL; names++) {
		print_safe(*names);
		printf(" is %s\n", state);
	}
}

static void
print_json(char **names, const char *state, const char *relay)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_open(&out, state, '[');
	for (; *names != NULL; names++)
		jsonout_text(&out, NULL, *names);
	jsonout_close(&out, ']');
	jsonout_text(&out, "relay", relay);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

/* The relay looks even if only some of them could be changed. */
static int
conclude(struct call *call, const char *state, int status)
{
	enum nudge nudge = nudge_relay(call);

	if (status != STATUS_FINE)
		return status;
	if (call->values[OPTION_JSON] != NULL) {
		print_json(call->operands, state, nudge_name(nudge));
	} else {
		print_text(call->operands, state);
		nudge_print(nudge);
	}
	return status;
}

int
command_pause(struct call *call)
{
	const char *reason = call->values[OPTION_REASON];
	int status = STATUS_FINE;
	char **name;

	if (reason == NULL || *reason == '\0')
		reason = "by the operator";
	for (name = call->operands; *name != NULL; name++)
		if (!names_check(call, *name))
			status = STATUS_WRONG;
		else if (store_pause(call->store, *name, reason) != STORE_OK)
			status = command_fail("%s", store_why(call->store));
	return conclude(call, "paused", status);
}

int
command_resume(struct call *call)
{
	int status = STATUS_FINE;
	char **name;

	for (name = call->operands; *name != NULL; name++)
		if (!names_check(call, *name))
			status = STATUS_WRONG;
		else if (store_resume(call->store, *name) != STORE_OK)
			status = command_fail("%s", store_why(call->store));
	return conclude(call, "resumed", status);
}
