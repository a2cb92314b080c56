/*
 * hookspool reload: the relay reads its configuration again, if it is right:
 * what is wrong with it is said here, before the relay hears of it.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/jsonout.h"
#include "config/config.h"
#include "spool/wake.h"

enum { OPTION_JSON };

const struct option_row reload_options[] = {
    [OPTION_JSON] = {"json", NULL, "one JSON document"}, {.name = NULL}};

static void
print_json(bool is_asked)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_text(&out, "relay", is_asked ? "asked" : "not running");
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

int
command_reload(struct call *call)
{
	const char *folder = call->config->spool.path;
	enum wake wake = wake_ask_reload(folder);

	if (wake == WAKE_FAILED)
		return command_fail("%s/" WAKE_SOCKET_NAME
				    ": the relay cannot be asked: %s",
		    folder, strerror(errno));
	if (call->values[OPTION_JSON] != NULL)
		print_json(wake == WAKE_SENT);
	else if (wake == WAKE_SENT)
		puts("the configuration is right; the relay was asked to read "
		     "it again, and logs that it has");
	else
		puts("the configuration is right; no relay runs, the next one "
		     "will read it");
	return STATUS_FINE;
}
