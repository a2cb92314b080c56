/*
 * hookspool stop: ends a relay started on demand, and waits for its end. A
 * relay in the foreground belongs to its starter, mostly systemd, which would
 * only start another.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command/ask.h"
#include "command/command.h"
#include "json/write.h"
#include "conf/conf.h"
#include "spool/spool.h"

#define STOP_WAIT_MS 10000 /* a relay ends within five seconds */

enum { OPTION_JSON };

static const struct option_row stop_options[] = {
    [OPTION_JSON] = {"json", NULL, "print one JSON document"}, {.name = NULL}};

/* `pid` 0: no relay runs. */
static void
print(const struct call *call, const char *state, int64_t pid)
{
	struct jsonout out = {.needs_comma = false};

	if (call->values[OPTION_JSON] != NULL) {
		jsonout_open(&out, NULL, '{');
		jsonout_text(&out, "relay", state);
		jsonout_some(&out, "pid", pid);
		jsonout_close(&out, '}');
		jsonout_end(&out);
		return;
	}
	if (pid == 0) {
		puts("no relay runs");
		return;
	}
	printf("the relay (pid %lld) has ended\n", (long long)pid);
	if (call->config->relay.is_on_demand)
		puts("The endpoint starts another one with the next event; to "
		     "stop deliveries for longer, use `hookspool pause`.");
}

static int
stop(const struct call *call, const struct relay_holder *relay)
{
	const char *path = call->config->spool.path;
	struct relay_holder now;

	switch (ask_relay(path, WAKE_STOP, relay, false, STOP_WAIT_MS, &now)) {
	case ASK_ENDED:
	case ASK_REPLACED:
		print(call, "ended", relay->pid);
		return STATUS_FINE;
	case ASK_FAILED:
		return command_fail("the relay (pid %lld) cannot be asked: %s",
		    (long long)relay->pid, strerror(errno));
	case ASK_DEAF:
		break;
	}
	return command_fail(
	    "the relay (pid %lld) did not end within %d seconds; `kill -KILL "
	    "%lld` ends it, and loses no event",
	    (long long)relay->pid, STOP_WAIT_MS / 1000, (long long)relay->pid);
}

static int
run_stop(struct call *call)
{
	struct relay_holder relay;

	if (!store_read_relay(call->config->spool.path, &relay)) {
		print(call, "not running", 0);
		return STATUS_FINE;
	}
	if (strcmp(relay.role, "on-demand") == 0 ||
	    strcmp(relay.role, "if-pending") == 0)
		return stop(call, &relay);
	if (strcmp(relay.role, "foreground") == 0)
		return command_fail(
		    "the relay (pid %lld) was not started on demand; stop its "
		    "service instead, such as: systemctl stop hookspool-relay",
		    (long long)relay.pid);
	return command_fail("\"%s\" (pid %lld), which is not a relay, holds "
			    "the relay's lock; wait until it ends",
	    relay.role, (long long)relay.pid);
}

const struct command command_stop = {.name = "stop",
    .operands = "",
    .needs = NEEDS_SPOOL,
    .options = stop_options,
    .run = run_stop,
    .summary = "end a relay that was started on demand"};
