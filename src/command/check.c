/*
 * hookspool check: examines everything that a capture or delivery needs, and
 * reports each fault with its remedy. As root, records the spool's place;
 * changes nothing else. Reads as root what only root may read, then examines
 * files as the spool's owner.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fingerprint.h"
#include "base/user.h"
#include "base/xalloc.h"
#include "command/command.h"
#include "command/destinations.h"
#include "command/report.h"
#include "command/site.h"
#include "command/soundness.h"
#include "conf/choice.h"
#include "conf/conf.h"

enum { OPTION_OFFLINE, OPTION_JSON };

static const struct option_row check_options[] = {
    [OPTION_OFFLINE] = {"offline", NULL, "do not connect to the destinations"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};

/* ---- the configuration ---- */

/* Loads the configuration that the endpoint uses while the file is bad. Returns
 * NULL if there is none. */
static struct config *
load_for_endpoint(struct report *report, const char *path)
{
	struct config *config;
	struct buf why;
	bool is_kept;

	buf_init(&why, WHY_MAX_BYTES);
	config = site_load_config(path, &is_kept, &why);
	if (config == NULL)
		report_wrong(report, "endpoint",
		    "has no last good configuration to use instead",
		    "correct %s; until then every request is answered 503",
		    path);
	else if (is_kept)
		report_fine(report, "endpoint",
		    "uses the last good configuration, saved in %s",
		    config->spool.path);
	else
		report_fine(report, "endpoint",
		    "works: its own sections have no error");
	buf_free(&why);
	return config;
}

static void
report_bad(struct report *report, const char *path, const char *why)
{
	if (access(path, F_OK) != 0)
		report_wrong(report, "configuration", why,
		    "create one with: hookspool init");
	else
		report_wrong(report, "configuration", why,
		    "correct the file (see hookspool.conf(5)), then run this "
		    "again; until then no relay starts: vi %s",
		    path);
}

/* Reports a loss: a starting endpoint would not use such a file. */
static void
check_loss(struct report *report, const struct config *config)
{
	struct config *kept;
	const char *loss;
	struct buf why;
	char *what;

	buf_init(&why, WHY_MAX_BYTES);
	kept = config_load_kept(config->path, &why);
	loss = kept != NULL ? choice_find_loss(config, kept) : NULL;
	if (loss != NULL) {
		what = xasprintf("%s has lost %s; an endpoint that starts uses "
				 "the last good configuration",
		    config->path, loss);
		report_wrong(report, "configuration", what,
		    "write that again; or, if the change is meant: rm %s/%s, "
		    "and restart the web server",
		    kept->spool.path, CONFIG_KEPT_NAME);
		free(what);
	}
	config_drop(kept);
	buf_free(&why);
}

/* Records, as root, the spool's place, and reports its previous place. */
static void
note_spool(struct report *report, const struct config *config)
{
	char *noted;

	if (geteuid() != 0)
		return;
	noted = config_noted_spool_dup(config->path);
	if (noted != NULL && strcmp(noted, config->spool.path) != 0)
		report_fine(report, "spool",
		    "was in %s before; deliver events left there with a copy "
		    "of the configuration that has the old path: hookspool -c "
		    "COPY relay --if-pending",
		    noted);
	config_note_spool(config);
	free(noted);
}

static struct config *
load(struct report *report, const char *path)
{
	struct config *config;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	config = config_load(path, CONFIG_ALL, &why);
	if (config != NULL) {
		report_fine(report, "configuration", "%s", path);
		check_loss(report, config);
		note_spool(report, config);
	} else {
		report_bad(report, path, buf_text(&why));
		config = load_for_endpoint(report, path);
	}
	buf_free(&why);
	return config;
}

static void
report_path_keys(struct report *report, const struct text_list *keys)
{
	char fingerprint[FINGERPRINT_SIZE];
	struct buf text;
	size_t i;

	buf_init(&text, WHY_MAX_BYTES);
	for (i = 0; i < keys->count; i++)
		buf_add_format(&text, "%s%s", i > 0 ? ", " : "",
		    fingerprint_make(keys->items[i], fingerprint));
	report_fine(report, "path key",
	    "%zu configured; key_fingerprint in the log: %s", keys->count,
	    buf_text(&text));
	buf_free(&text);
}

static void
check_secrets(struct report *report, const struct endpoint_config *endpoint)
{
	if (endpoint->verify_tokens_problem != NULL)
		report_wrong(report, "verify token",
		    endpoint->verify_tokens_problem,
		    "set verify_token or verify_token_file in [endpoint]; "
		    "without one the sender cannot verify the endpoint");
	else
		report_fine(report, "verify token", "%zu configured",
		    endpoint->verify_tokens.count);
	if (endpoint->path_keys_problem != NULL)
		report_wrong(report, "path key", endpoint->path_keys_problem,
		    "correct the file; until then every request is answered "
		    "503");
	else if (endpoint->path_keys.count == 0)
		report_fine(report, "path key",
		    "none: anybody who finds the URL can post to it; see "
		    "path_key in hookspool.conf(5)");
	else
		report_path_keys(report, &endpoint->path_keys);
}

/* Returns the first folder on the path to the file that cannot be entered, for
 * the caller to free; NULL: none. */
static char *
closed_folder_dup(const char *path)
{
	char *folder = xstrdup(path), *slash = folder;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		if (access(folder, X_OK) != 0)
			return folder;
		*slash = '/';
	}
	free(folder);
	return NULL;
}

/* Checks access as the spool's owner, the user of endpoint and relay. */
static void
check_readable(struct report *report, const char *subject, const char *path)
{
	char *what, *user, *group, *folder;
	int error;

	if (path == NULL || access(path, R_OK) == 0)
		return;
	error = errno;
	user = user_name_dup(geteuid());
	group = group_name_dup(getegid());
	what = xasprintf("%s cannot be read by %s, the user of the endpoint "
			 "and the relay: %s",
	    path, user, strerror(error));
	folder = error == EACCES ? closed_folder_dup(path) : NULL;
	if (error == ENOENT)
		report_wrong(report, subject, what,
		    "create the file, or correct its path in the "
		    "configuration");
	else if (folder != NULL)
		report_wrong(report, subject, what,
		    "chgrp %s %s && chmod g+x %s", group, folder, folder);
	else
		report_wrong(report, subject, what,
		    "chgrp %s %s && chmod g+r %s", group, path, path);
	free(folder);
	free(what);
	free(group);
	free(user);
}

static void
check_destinations(struct report *report, const struct config *config)
{
	size_t i;

	for (i = 0; i < config->destination_count; i++) {
		check_readable(
		    report, "ca_file", config->destinations[i].ca_file);
		check_readable(
		    report, "secret_file", config->destinations[i].secret_file);
		check_readable(
		    report, "client_cert", config->destinations[i].client_cert);
		check_readable(
		    report, "client_key", config->destinations[i].client_key);
	}
	if (config->destination_count == 0)
		report_warning(report, "destinations",
		    "none: events are kept and not delivered",
		    "add a [destination NAME] with its url to %s, then run: "
		    "hookspool reload",
		    config->path);
	else
		report_fine(report, "destinations", "%zu configured",
		    config->destination_count);
}

static void
check_log(struct report *report, const struct log_config *log)
{
	char *what, *user, *folder, *slash;
	int error;

	switch (log->target) {
	case LOG_TARGET_AUTO:
		report_fine(report, "log",
		    "during a request: the web server's error log; otherwise "
		    "stderr, or syslog (hookspool, daemon) where that is "
		    "/dev/null; an on-demand relay: syslog");
		return;
	case LOG_TARGET_STDERR:
		report_fine(report, "log",
		    "stderr; an on-demand relay has none and logs nothing");
		return;
	case LOG_TARGET_SYSLOG:
		report_fine(report, "log", "syslog (hookspool, daemon)");
		return;
	case LOG_TARGET_FILE:
		break;
	}
	folder = xstrdup(log->path);
	slash = strrchr(folder, '/');
	slash[slash == folder ? 1 : 0] = '\0';
	if (access(log->path, W_OK) == 0 ||
	    (errno == ENOENT && access(folder, W_OK | X_OK) == 0)) {
		report_fine(report, "log", "%s", log->path);
	} else {
		error = errno;
		user = user_name_dup(geteuid());
		what = xasprintf("%s cannot be written by %s: %s", log->path,
		    user, strerror(error));
		report_wrong(report, "log", what,
		    "touch %s && chown %s %s; until then log lines go to "
		    "syslog",
		    log->path, user, log->path);
		free(what);
		free(user);
	}
	free(folder);
}

static void
check_program(struct report *report, const struct relay_config *relay)
{
	const char *path = relay->program;
	struct stat st;
	char *what;

	if (!relay->is_on_demand)
		return;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0) {
		report_fine(report, "program", "%s", path);
		return;
	}
	what = xasprintf("the endpoint cannot start the relay: %s is not a "
			 "program that the spool's owner can run",
	    path);
	report_wrong(report, "program", what,
	    "install hookspool there, or set program in [relay]");
	free(what);
}

/* Checks everything else as the spool's owner. */
static void
check_as_owner(
    struct report *report, const struct config *config, bool is_offline)
{
	const struct endpoint_config *endpoint = &config->endpoint;

	check_readable(report, "configuration", config->path);
	check_readable(report, "verify token", endpoint->verify_token_file);
	check_readable(report, "path key", endpoint->path_key_file);
	soundness_check_store(report, config);
	check_program(report, &config->relay);
	check_destinations(report, config);
	check_log(report, &config->log);
	if (!is_offline)
		destinations_check(report, config);
}

/* Checks everything in order; becomes the spool's owner after the folder. */
static void
check_all(struct report *report, const struct config *config, bool is_offline)
{
	struct buf why;

	check_secrets(report, &config->endpoint);
	buf_init(&why, WHY_MAX_BYTES);
	if (!soundness_check_folder(report, config))
		check_destinations(report, config);
	else if (owner_become(config->spool.path, &why))
		check_as_owner(report, config, is_offline);
	else
		report_wrong(report, "spool", buf_text(&why),
		    "run this as root, or as the owner of the spool");
	buf_free(&why);
}

static void
check_site(struct report *report, const char *path, bool is_offline)
{
	struct config *config;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	if (!site_check_reader(path, &why)) {
		report_wrong(report, "configuration", buf_text(&why),
		    "sudo hookspool -c %s check", path);
	} else {
		config = load(report, path);
		if (config != NULL && site_is_hidden(config, &why))
			report_wrong(report, "spool", buf_text(&why),
			    "sudo hookspool -c %s check", path);
		else if (config != NULL)
			check_all(report, config, is_offline);
		config_drop(config);
	}
	buf_free(&why);
}

static int
run_check(struct call *call)
{
	struct report report = {.findings = NULL};
	char *path = config_find(call->config_option);
	bool is_wrong;

	check_site(&report, path, call->values[OPTION_OFFLINE] != NULL);
	if (call->values[OPTION_JSON] != NULL)
		report_print_json(&report);
	else
		report_print(&report);
	is_wrong = report.is_wrong;
	report_free(&report);
	free(path);
	return is_wrong ? STATUS_WRONG : STATUS_FINE;
}

const struct command command_check = {.name = "check",
    .operands = "",
    .options = check_options,
    .run = run_check,
    .summary = "find what is wrong, and say how to fix it"};
