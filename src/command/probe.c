/*
 * hookspool probe: acts as the sender towards an endpoint, step by step, and
 * stops where the next step could not tell anything. steps.c has the steps;
 * here is what they need: the URL, a verify token, a community.
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
#include "config/config.h"
#include "config/texts.h"
#include "config/tokens.h"
#include "config/value.h"

#define SENDER_WAITS_MS   20000
#define DEFAULT_COMMUNITY "hookspool"

enum {
	OPTION_CA_FILE,
	OPTION_TOKEN_FILE,
	OPTION_COMMUNITY,
	OPTION_NO_EVENT,
	OPTION_JSON
};

const struct option_row probe_options[] = {
    [OPTION_CA_FILE] = {"ca-file", "FILE",
	"verify the certificate with this CA [the system's]"},
    [OPTION_TOKEN_FILE] = {"token-file", "FILE",
	"the verify token [the first of the configuration]"},
    [OPTION_COMMUNITY] = {"community", "NAME",
	"of the sample event [the first of the configuration]"},
    [OPTION_NO_EVENT] = {"no-event", NULL, "send no sample event"},
    [OPTION_JSON] = {"json", NULL, "one JSON document"},
    {.name = NULL}};

/* For people each line comes as soon as it is known. */
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

/* A configuration that consists of nothing but the token file. */
static struct config *
token_file_config_new(const char *path)
{
	struct config *config = xcalloc(1, sizeof *config);

	config->endpoint.verify_token_file = xstrdup(path);
	tokens_read_all(config);
	return config;
}

/* Where the token is from; NULL, with `why`, if there is none. */
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
	config_free(config);
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
check_call(const struct call *call)
{
	const char *ca_file = call->values[OPTION_CA_FILE];
	const char *url = call->operands[0];
	const char *why = value_check_url(url);
	char *shown;
	int status;

	if (why == NULL && strchr(url, '#') != NULL)
		why = "with a #, which no sender sends";
	if (why != NULL) {
		shown = config_url_shown_dup(url);
		status =
		    command_misuse(call, "\"%s\" is an address %s", shown, why);
		free(shown);
		return status;
	}
	if (ca_file != NULL && access(ca_file, R_OK) != 0)
		return command_misuse(call, "%s cannot be read", ca_file);
	return STATUS_FINE;
}

static int
run(const struct call *call, const struct config *config)
{
	struct probe probe = {.url = call->operands[0],
	    .token = config->endpoint.verify_tokens.items[0],
	    .community = community(call, &config->endpoint),
	    .reach = {.is_ours = true}};
	struct destination_config *to = &probe.reach.to;
	int status;

	/* Borrowed: neither is ever freed. */
	to->url = call->operands[0];
	to->ca_file = (char *)(uintptr_t)call->values[OPTION_CA_FILE];
	to->timeout_ms = SENDER_WAITS_MS;
	to->concurrency = 1;
	to->allow_private = true;
	sender_add_secrets(&probe.secrets, probe.url, probe.token);
	signal(SIGPIPE, SIG_IGN);
	take_steps(&probe, call);
	status = probe.report.is_wrong ? STATUS_WRONG : STATUS_FINE;
	text_list_wipe(&probe.secrets);
	report_free(&probe.report);
	return status;
}

int
command_probe(struct call *call)
{
	int status = check_call(call);
	struct config *config;
	struct buf why;

	if (status != STATUS_FINE)
		return status;
	buf_init(&why, WHY_MAX_BYTES);
	config = load(call, &why);
	if (config != NULL)
		status = run(call, config);
	else
		status = command_fail("%s; a verify token can be given with "
				      "--token-file FILE",
		    buf_text(&why));
	config_free(config);
	buf_free(&why);
	return status;
}
