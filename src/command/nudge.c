/*
 * Notifies the relay of a change: see nudge.h.
 */
#include "config.h"

#include "command/nudge.h"

#include <errno.h>
#include <stdio.h>

#include "conf/conf.h"
#include "wake/spawn.h"
#include "wake/wake.h"

enum nudge
nudge_relay(struct call *call)
{
	enum wake wake;

	store_close(call->store);
	call->store = NULL;
	wake = wake_ask(call->config->spool.path, WAKE_LOOK);
	if (wake == WAKE_SENT || (wake == WAKE_FAILED && errno == EAGAIN))
		return NUDGE_WOKEN;
	if (wake == WAKE_NOBODY && call->config->relay.is_on_demand &&
	    spawn_relay(call->config->relay.program, call->config->path) == 0)
		return NUDGE_STARTED;
	return NUDGE_NOBODY;
}

const char *
nudge_name(enum nudge nudge)
{
	switch (nudge) {
	case NUDGE_WOKEN:
		return "woken";
	case NUDGE_STARTED:
		return "started";
	case NUDGE_NOBODY:
		return "not running";
	}
	return "not running";
}

void
nudge_print(enum nudge nudge)
{
	if (nudge == NUDGE_STARTED)
		puts("the relay was started");
	if (nudge == NUDGE_NOBODY)
		puts("no relay runs: start its service, or deliver the "
		     "pending deliveries with: hookspool relay --if-pending");
}
