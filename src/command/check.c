/*
 * hookspool check: looks at everything that must be right before a
 * notification can be captured and delivered, and says of each thing found
 * wrong how to mend it. Changes nothing. Reads as root what root alone may
 * read, and then looks at files as the spool's owner would.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "command/command.h"
#include "command/destinations.h"
#include "command/print.h"
#include "command/report.h"
#include "config/config.h"
#include "spool/spool.h"

#define WAL_LARGE_BYTES  (INT64_C(64) << 20)
#define DELIVERY_LATE_MS (INT64_C(5) * 60 * 1000)

enum { OPTION_OFFLINE, OPTION_JSON };

const struct option_row check_options[] = {
    [OPTION_OFFLINE] = {"offline", NULL, "connect to no destination"},
    [OPTION_JSON] = {"json", NULL, "one JSON document"},
    {.name = NULL}};

/* ---- the configuration ---- */

/* What the endpoint goes on with while the file is bad. NULL: with nothing. */
static struct config *
load_for_endpoint(struct report *report, const char *path)
{
	struct config *config;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	config = config_load(path, CONFIG_ENDPOINT, &why);
	if (config != NULL) {
		report_fine(report, "endpoint",
		    "goes on: what is wrong is in none of its sections");
		goto out;
	}
	config = config_load_kept(path, &why);
	if (config != NULL)
		report_fine(report, "endpoint",
		    "goes on with the last good configuration, kept in %s",
		    config->spool.path);
	else
		report_wrong(report, "endpoint",
		    "there is no last good configuration to go on with",
		    "correct the configuration: until then every request is "
		    "answered 503");
out:
	buf_free(&why);
	return config;
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
	} else {
		report_wrong(report, "configuration", buf_text(&why),
		    access(path, F_OK) != 0
			? "make one with: hookspool init"
			: "correct it, see hookspool.conf(5); until then no "
			  "relay starts");
		config = load_for_endpoint(report, path);
	}
	buf_free(&why);
	return config;
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
		    "mend the file; until then every request is answered 503");
	else if (endpoint->path_keys.count == 0)
		report_fine(report, "path key",
		    "none: whoever finds the URL can post to it; see path_key "
		    "in hookspool.conf(5)");
	else
		report_fine(report, "path key", "%zu configured",
		    endpoint->path_keys.count);
}

/* As the spool's owner, who runs the endpoint and the relay. */
static void
check_readable(struct report *report, const char *subject, const char *path)
{
	char *what;

	if (path == NULL || access(path, R_OK) == 0)
		return;
	what = xasprintf("%s cannot be read by the spool's owner (uid %ld): %s",
	    path, (long)geteuid(), strerror(errno));
	report_wrong(report, subject, what,
	    "chgrp %ld %s && chmod g+r %s, and let its folder be entered",
	    (long)getegid(), path, path);
	free(what);
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
		report_fine(report, "destinations",
		    "none: events are kept and go nowhere");
	else
		report_fine(report, "destinations", "%zu configured",
		    config->destination_count);
}

static void
check_log(struct report *report, const struct log_config *log)
{
	char *what, *folder, *slash;

	switch (log->target) {
	case LOG_TARGET_AUTO:
		report_fine(report, "log",
		    "during a request: the web server's error log; otherwise "
		    "stderr, or syslog (hookspool, daemon) where that is "
		    "/dev/null; an on-demand relay: syslog");
		return;
	case LOG_TARGET_STDERR:
		report_fine(
		    report, "log", "stderr; an on-demand relay has none");
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
		what = xasprintf("%s cannot be written by the spool's owner "
				 "(uid %ld): %s",
		    log->path, (long)geteuid(), strerror(errno));
		report_wrong(report, "log", what,
		    "give the file to that user; until then lines go to "
		    "syslog");
		free(what);
	}
	free(folder);
}

/* ---- the spool ---- */

static bool
check_folder(struct report *report, const char *path)
{
	unsigned mode;
	struct stat st;
	char *what;

	if (stat(path, &st) != 0) {
		what = xasprintf("%s: %s", path, strerror(errno));
		report_wrong(report, "spool", what,
		    "mount it if it is a mount; else make it with: hookspool "
		    "init");
		free(what);
		return false;
	}
	mode = (unsigned)st.st_mode & 07777;
	if ((mode & 07) == 0 && S_ISDIR(st.st_mode)) {
		report_fine(report, "spool", "%s, mode %04o, uid %ld, gid %ld",
		    path, mode, (long)st.st_uid, (long)st.st_gid);
		return true;
	}
	what = xasprintf("%s has mode %04o: others can enter it", path, mode);
	report_wrong(report, "spool", what,
	    "chmod 0700 %s (2770 where two users share it)", path);
	free(what);
	return true;
}

static void
check_size(struct report *report, const struct spool_config *spool,
    const struct store_summary *summary)
{
	struct buf text;

	buf_init(&text, 512);
	buf_add_text(&text, "it takes ");
	print_add_size(&text, summary->size_bytes);
	buf_add_text(&text, ", free on the disk are ");
	print_add_size(&text, summary->free_bytes);
	if (summary->free_bytes < spool->min_free_bytes)
		report_wrong(report, "space", buf_text(&text),
		    "free some space: below min_free notifications are "
		    "answered 503");
	else if (spool->max_size_bytes > 0 &&
		 summary->size_bytes > spool->max_size_bytes)
		report_wrong(report, "space", buf_text(&text),
		    "raise max_size: above it notifications are answered 503");
	else
		report_fine(report, "space", "%s", buf_text(&text));
	if (summary->wal_bytes > WAL_LARGE_BYTES) {
		buf_clear(&text);
		buf_add_text(&text, "the write-ahead log has grown to ");
		print_add_size(&text, summary->wal_bytes);
		report_wrong(report, "space", buf_text(&text),
		    "end whatever has been reading the spool for long "
		    "(a backup, sqlite3): it cannot be emptied meanwhile");
	}
	buf_free(&text);
}

/* What is due for long, and nobody comes for it. */
static bool
is_late(const struct store_summary *summary, int64_t now_ms)
{
	size_t i;

	if (summary->events_new > 0 && summary->oldest_undelivered_ms != 0 &&
	    now_ms - summary->oldest_undelivered_ms > DELIVERY_LATE_MS)
		return true;
	for (i = 0; i < summary->destination_count; i++) {
		const struct destination_counts *d = &summary->destinations[i];

		if (d->is_configured && d->pending > 0 &&
		    now_ms - d->next_at_ms > DELIVERY_LATE_MS)
			return true;
	}
	return false;
}

static void
check_relay(struct report *report, const struct relay_config *relay,
    const struct store_summary *summary)
{
	bool is_overdue = is_late(summary, clock_wall_ms());

	if (summary->is_relay_running)
		report_fine(report, "relay", "running");
	else if (!relay->is_on_demand)
		report_wrong(report, "relay",
		    "not running, and the endpoint starts none (start = "
		    "never)",
		    "systemctl enable --now hookspool-relay, or start = "
		    "on-demand in [relay]");
	else if (is_overdue)
		report_wrong(report, "relay",
		    "not running, and deliveries have been due for minutes",
		    "hookspool relay --if-pending; and let a timer do that, "
		    "see hookspool(8)");
	else
		report_fine(report, "relay",
		    "not running; the endpoint starts it when there is "
		    "something to deliver");
}

static void
check_program(struct report *report, const struct relay_config *relay)
{
	const char *path =
	    relay->program != NULL ? relay->program : BINDIR "/hookspool";
	struct stat st;
	char *what;

	if (!relay->is_on_demand)
		return;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0) {
		report_fine(report, "program", "%s", path);
		return;
	}
	what = xasprintf("the endpoint cannot start the relay as %s: no "
			 "program that the spool's owner can run",
	    path);
	report_wrong(report, "program", what,
	    "install it there, or set program in [relay]");
	free(what);
}

/* What there is to do about a spool that does not open. */
static const char *
advice(enum store_status status)
{
	switch (status) {
	case STORE_MISSING:
		return "mount it if it is a mount; else: hookspool init";
	case STORE_TOO_OLD:
		return "start the relay once: it brings the spool up to date";
	case STORE_TOO_NEW:
		return "install the hookspool that made it, or a later one";
	case STORE_BUSY:
		return "try again; if it stays so, look what holds its lock";
	case STORE_FULL:
		return "free some space";
	case STORE_OK:
	case STORE_FAILED:
	case STORE_REFUSED:
	case STORE_GONE:
		break;
	}
	return "mend what the sentence names";
}

static void
check_summary(
    struct report *report, const struct config *config, struct store *store)
{
	struct store_summary summary;

	if (store_summarize(store, clock_wall_ms(), &summary) != STORE_OK) {
		report_wrong(report, "spool", store_why(store), "%s",
		    advice(STORE_FAILED));
		return;
	}
	if (summary.has_failure_mark)
		report_wrong(report, "spool", "a sync of it has failed",
		    "look for disk errors in the kernel's log (dmesg); the "
		    "next process that writes mends the spool first");
	check_size(report, &config->spool, &summary);
	check_relay(report, &config->relay, &summary);
	store_free_summary(&summary);
}

static void
check_store(struct report *report, const struct config *config)
{
	const struct store_options options = {.path = config->spool.path,
	    .access = STORE_READ,
	    .min_free_bytes = config->spool.min_free_bytes,
	    .max_size_bytes = config->spool.max_size_bytes};
	struct store *store = NULL;
	enum store_status status;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	status = store_open(&options, &store, &why);
	if (status == STORE_OK)
		check_summary(report, config, store);
	else
		report_wrong(
		    report, "spool", buf_text(&why), "%s", advice(status));
	store_close(store);
	buf_free(&why);
}

/* Everything, top to bottom; as the spool's owner from the folder on. */
static void
check_all(struct report *report, const struct config *config, bool is_offline)
{
	const struct endpoint_config *endpoint = &config->endpoint;
	bool is_there;
	struct buf why;

	check_secrets(report, endpoint);
	is_there = check_folder(report, config->spool.path);
	if (!is_there)
		return;
	buf_init(&why, WHY_MAX_BYTES);
	if (owner_become(config->spool.path, &why)) {
		check_readable(report, "configuration", config->path);
		check_readable(
		    report, "verify token", endpoint->verify_token_file);
		check_readable(report, "path key", endpoint->path_key_file);
		check_store(report, config);
		check_program(report, &config->relay);
		check_destinations(report, config);
		check_log(report, &config->log);
		if (!is_offline)
			destinations_check(report, config);
	} else {
		report_wrong(report, "spool", buf_text(&why), "%s",
		    advice(STORE_REFUSED));
	}
	buf_free(&why);
}

int
command_check(struct call *call)
{
	struct report report = {.findings = NULL};
	char *path = config_find(call->config_option);
	struct config *config = load(&report, path);
	bool is_wrong;

	if (config != NULL)
		check_all(
		    &report, config, call->values[OPTION_OFFLINE] != NULL);
	if (call->values[OPTION_JSON] != NULL)
		report_print_json(&report);
	else
		report_print(&report);
	is_wrong = report.is_wrong;
	report_free(&report);
	config_free(config);
	free(path);
	return is_wrong ? STATUS_WRONG : STATUS_FINE;
}
