/*
 * hookspool probe: acts as the sender towards an endpoint, step by step, and
 * stops when the next step could tell nothing new. steps.c has the steps; this
 * file finds the URL, a verify token and a community.
 */
#include "config.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "command/command.h"
#include "command/sender.h"
#include "command/steps.h"
#include "command/target.h"
#include "conf/conf.h"
#include "conf/texts.h"
#include "conf/tokens.h"
#include "conf/value.h"

#define DEFAULT_COMMUNITY "hookspool"

enum {
	OPTION_CA_FILE,
	OPTION_TOKEN_FILE,
	OPTION_COMMUNITY,
	OPTION_NO_EVENT,
	OPTION_JSON
};

static const struct option_row probe_options[] = {
    [OPTION_CA_FILE] = {"ca-file", "FILE",
	"verify the certificate with the CAs in this file [the system's]"},
    [OPTION_TOKEN_FILE] = {"token-file", "FILE",
	"read the verify token from this file [the first in the "
	"configuration]"},
    [OPTION_COMMUNITY] = {"community", "NAME",
	"CommunityName of the sample event [the first in the configuration]"},
    [OPTION_NO_EVENT] = {"no-event", NULL, "do not send a sample event"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};

/* Takes the steps. Prints each line for people at once. */
static void
take_steps(struct probe *probe, const struct call *call)
{
	bool (*const steps[])(struct probe *) = {steps_url, steps_reach,
	    steps_challenge, steps_wrong_token,
	    call->values[OPTION_NO_EVENT] == NULL ? steps_event : NULL};
	bool goes_on = true;
	size_t i;

	for (i = 0;
	     goes_on && i < sizeof steps / sizeof steps[0] && steps[i] != NULL;
	     i++) {
		goes_on = steps[i](probe);
		if (call->values[OPTION_JSON] == NULL)
			report_print(&probe->report);
	}
	if (call->values[OPTION_JSON] != NULL)
		report_print_json(&probe->report);
}

/* Makes a configuration of only the token file. */
static struct config *
token_file_config_new(const char *path)
{
	struct config *config = xcalloc(1, sizeof *config);

	config->endpoint.verify_token_file = xstrdup(path);
	tokens_read_all(config);
	return config;
}

/* Loads the configuration with the token. Returns NULL with `why` if there is
 * no token. */
static struct config *
load(const struct call *call, struct buf *why)
{
	const char *file = call->values[OPTION_TOKEN_FILE];
	struct config *config;
	char *path;

	if (file != NULL) {
		config = token_file_config_new(file);
	} else {
		path = config_find(call->config_option);
		config = config_load(path, CONFIG_ENDPOINT, why);
		free(path);
		if (config == NULL)
			return NULL;
		if (!owner_become(config->spool.path, why))
			goto fail;
	}
	if (config->endpoint.verify_tokens_problem == NULL)
		return config;
	buf_add_text(why, config->endpoint.verify_tokens_problem);
fail:
	config_drop(config);
	return NULL;
}

static const char *
community(const struct call *call, const struct endpoint_config *endpoint)
{
	if (call->values[OPTION_COMMUNITY] != NULL)
		return call->values[OPTION_COMMUNITY];
	return endpoint->communities.count > 0 ? endpoint->communities.items[0]
					       : DEFAULT_COMMUNITY;
}

static int
run(const struct call *call, struct target *target, const struct config *config)
{
	struct probe probe = {.url = target->to.url,
	    .token = config->endpoint.verify_tokens.items[0],
	    .community = community(call, &config->endpoint),
	    .secrets = &target->secrets,
	    .reach = {.is_ours = true, .to = target->to}};
	int status;

	sender_add_token_secrets(&target->secrets, probe.token);
	signal(SIGPIPE, SIG_IGN);
	take_steps(&probe, call);
	status = probe.report.is_wrong ? STATUS_WRONG : STATUS_FINE;
	report_free(&probe.report);
	return status;
}

/* Reads the URL and the CA first, because `load` gives up root. */
static int
run_probe(struct call *call)
{
	struct config *config = NULL;
	struct target target;
	struct buf why;
	int status = target_read(
	    &target, call, call->operands[0], call->values[OPTION_CA_FILE]);

	buf_init(&why, WHY_MAX_BYTES);
	if (status == STATUS_FINE) {
		config = load(call, &why);
		status = config != NULL
			     ? run(call, &target, config)
			     : command_fail("%s%s", buf_text(&why),
				   call->values[OPTION_TOKEN_FILE] != NULL
				       ? ""
				       : "; or give a file with the verify "
					 "token: --token-file FILE");
	}
	config_drop(config);
	target_free(&target);
	buf_free(&why);
	return status;
}

const struct command command_probe = {.name = "probe",
    .operands = TARGET_OPERAND,
    .operands_min = 1,
    .operands_max = 1,
    .options = probe_options,
    .run = run_probe,
    .summary = "test an endpoint from outside, as the sender would use it"};
