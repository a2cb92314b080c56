/*
 * hookspool reload: makes the relay read its configuration again. Checks the
 * configuration first and reports faults here, without telling the relay. With
 * --restart, after an upgrade, the relay executes its program again.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command/ask.h"
#include "command/command.h"
#include "json/write.h"
#include "command/nudge.h"
#include "command/print.h"
#include "conf/conf.h"
#include "spool/spool.h"
#include "wake/wake.h"

#define RESTART_WAIT_MS 15000 /* a relay ends within five seconds */

enum { OPTION_RESTART, OPTION_JSON };

static const struct option_row reload_options[] = {
    [OPTION_RESTART] = {"restart", NULL,
	"make the relay restart as the program that is installed now, after an "
	"upgrade"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};

/* `relay` NULL: only the state is known. */
static void
print_json(const char *state, const struct relay_holder *relay)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_text(&out, "relay", state);
	if (relay != NULL) {
		jsonout_some(&out, "pid", relay->pid);
		jsonout_text(&out, "version", relay->version);
	}
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

/* ---- --restart ---- */

static int
say_restarted(const struct call *call, const struct relay_holder *relay)
{
	if (call->values[OPTION_JSON] != NULL) {
		print_json("restarted", relay);
		return STATUS_FINE;
	}
	printf("the relay was restarted: pid %lld, version ",
	    (long long)relay->pid);
	print_safe(relay->version);
	putchar('\n');
	return STATUS_FINE;
}

/* Starts a relay: the old one has ended, as idle ones do, without a
 * successor. */
static int
start_next(struct call *call)
{
	enum nudge nudge = nudge_relay(call);

	if (call->values[OPTION_JSON] != NULL)
		print_json(nudge_name(nudge), NULL);
	else if (nudge == NUDGE_NOBODY)
		puts("no relay runs; the next one runs the new program");
	else
		nudge_print(nudge);
	return STATUS_FINE;
}

static int
restart(struct call *call)
{
	const char *folder = call->config->spool.path;
	struct relay_holder before, now;

	if (!store_read_relay(folder, &before))
		return start_next(call);
	switch (ask_relay(
	    folder, WAKE_RESTART, &before, true, RESTART_WAIT_MS, &now)) {
	case ASK_REPLACED:
		return say_restarted(call, &now);
	case ASK_ENDED:
		return start_next(call);
	case ASK_FAILED:
		return command_fail("the relay (pid %lld) cannot be asked: %s",
		    (long long)before.pid, strerror(errno));
	case ASK_DEAF:
		break;
	}
	return command_fail("the relay (pid %lld) did not restart within %d "
			    "seconds; see its log for the reason",
	    (long long)before.pid, RESTART_WAIT_MS / 1000);
}

static int
run_reload(struct call *call)
{
	const char *folder = call->config->spool.path;
	enum wake wake;

	if (call->values[OPTION_RESTART] != NULL)
		return restart(call);
	wake = wake_ask(folder, WAKE_RELOAD);
	if (wake == WAKE_FAILED)
		return command_fail("%s/" WAKE_SOCKET_NAME
				    ": the relay cannot be asked: %s",
		    folder, strerror(errno));
	if (call->values[OPTION_JSON] != NULL)
		print_json(wake == WAKE_SENT ? "asked" : "not running", NULL);
	else if (wake == WAKE_SENT)
		puts("the configuration is valid; the relay was asked to read "
		     "it again, and logs when it has.\nDeliveries that wait "
		     "for their next attempt are then tried at once, except "
		     "those that a Retry-After delays, and those of paused and "
		     "held destinations.");
	else
		puts("the configuration is valid; no relay runs, the next one "
		     "will read it");
	return STATUS_FINE;
}

const struct command command_reload = {.name = "reload",
    .operands = "",
    .needs = NEEDS_CONFIG,
    .options = reload_options,
    .run = run_reload,
    .summary = "make the relay read its configuration again"};
