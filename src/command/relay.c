/*
 * hookspool relay: runs the relay in the foreground, or as started by an
 * endpoint or a timer.
 */
#include "config.h"

#include "relay/relay.h"

#include "command/command.h"

enum { OPTION_IF_PENDING, OPTION_ON_DEMAND, OPTION_WAIT };

static const struct option_row relay_options[] = {
    [OPTION_IF_PENDING] = {"if-pending", NULL,
	"end at once if nothing is pending or a relay runs already (for "
	"timers)"},
    [OPTION_ON_DEMAND] = {"on-demand", NULL,
	"end after idle_exit without work (for the endpoint)"},
    [OPTION_WAIT] = {"wait", NULL, "if another relay runs, wait until it ends"},
    {.name = NULL}};

static int
run_relay(struct call *call)
{
	bool is_if_pending = call->values[OPTION_IF_PENDING] != NULL;
	bool is_on_demand = call->values[OPTION_ON_DEMAND] != NULL;
	bool is_waiting = call->values[OPTION_WAIT] != NULL;
	struct relay_options options = {.config = call->config,
	    .mode = RELAY_FOREGROUND,
	    .patience = is_waiting ? RELAY_WAIT : RELAY_GIVE_UP};

	if (is_if_pending && (is_on_demand || is_waiting))
		return command_misuse(call, "--if-pending cannot be given with "
					    "another option; leave one out");
	if (is_if_pending)
		options.mode = RELAY_IF_PENDING;
	else if (is_on_demand)
		options.mode = RELAY_ON_DEMAND;
	return relay_run(&options);
}

const struct command command_relay = {.name = "relay",
    .operands = "",
    .needs = NEEDS_CONFIG,
    .options = relay_options,
    .run = run_relay,
    .summary = "deliver events to their destinations"};
