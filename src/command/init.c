/*
 * hookspool init: makes what is missing, keeps what exists, and prints what to
 * paste where. A new configuration holds fresh secrets; only root and the web
 * server's group can read the file. The spool belongs to the web server's user.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fingerprint.h"
#include "base/xalloc.h"
#include "command/command.h"
#include "json/write.h"
#include "command/print.h"
#include "conf/conf.h"
#include "spool/spool.h"

#define SECRET_BYTES 20 /* 160 bits */

enum { OPTION_USER, OPTION_GROUP, OPTION_SPOOL, OPTION_JSON };

static const struct option_row init_options[] = {
    [OPTION_USER] = {"user", "NAME",
	"the web server's user, who owns the spool [" WEB_USER "]"},
    [OPTION_GROUP] = {"group", "NAME",
	"share the spool with this group, for endpoint and relay as two users"},
    [OPTION_SPOOL] = {"spool", "FOLDER",
	"path of the spool in a new configuration"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};

/* The things to make, and their owner. */
struct setup {
	const struct call *call;
	char *config_path;
	struct config *config; /* as read; NULL before */
	uid_t owner;
	gid_t group;
	bool is_root;
	bool is_config_new;
	bool is_spool_new;
	struct buf why;
};

/* ---- the owner ---- */

static bool
find_user(struct setup *setup, const char *name)
{
	const struct passwd *user;

	if (!setup->is_root && name == NULL)
		return true;
	if (name == NULL)
		name = WEB_USER;
	user = getpwnam(name);
	if (user == NULL) {
		buf_add_format(&setup->why,
		    "there is no user \"%s\" on this machine; give the web "
		    "server's user with --user",
		    name);
		return false;
	}
	if (!setup->is_root && user->pw_uid != setup->owner) {
		buf_add_text(&setup->why,
		    "only root can create a spool for another "
		    "user; run this as root, or leave out --user");
		return false;
	}
	setup->owner = user->pw_uid;
	setup->group = user->pw_gid;
	return true;
}

static bool
find_group(struct setup *setup, const char *name)
{
	const struct group *group;

	if (name == NULL)
		return true;
	group = getgrnam(name);
	if (group == NULL) {
		buf_add_format(&setup->why,
		    "there is no group \"%s\" on this machine; correct "
		    "--group, or create the group",
		    name);
		return false;
	}
	setup->group = group->gr_gid;
	return true;
}

/* ---- the configuration ---- */

/* Makes a secret that needs no escaping in a URL; the caller frees the text. */
static char *
make_secret(void)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[SECRET_BYTES];
	char text[2 * SECRET_BYTES + 1];
	size_t i;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		abort(); /* cannot happen for so few bytes */
	for (i = 0; i < sizeof bytes; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * SECRET_BYTES] = '\0';
	return xstrdup(text);
}

static char *
make_text(const char *spool)
{
	char *token = make_secret(), *key = make_secret(), *text;

	text = xasprintf(
	    "# hookspool's configuration: see hookspool.conf(5). It holds "
	    "secrets: keep its\n"
	    "# mode. After a change: hookspool check\n\n"
	    "[endpoint]\n"
	    "# What the sender shows when it verifies the endpoint.\n"
	    "verify_token = %s\n"
	    "# The last part of the endpoint's path: who does not know it is "
	    "turned away.\n"
	    "path_key = %s\n\n"
	    "[spool]\n"
	    "path = %s\n\n"
	    "# Where notifications go. Take the # away and put your URL in; "
	    "give each\n"
	    "# destination a section and a name of its own. It gets every "
	    "event, unless a\n"
	    "# line of its own says which: see `events` in "
	    "hookspool.conf(5).\n"
	    "#[destination crm]\n"
	    "#url = https://crm.example.com/hooks/socialboards\n",
	    token, key, spool);
	free(token);
	free(key);
	return text;
}

/* Makes the missing folders above `path`. */
static bool
make_parents(struct setup *setup, const char *path)
{
	char *part = xstrdup(path), *slash;
	bool is_fine = true;

	for (slash = strchr(part + 1, '/'); slash != NULL && is_fine;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		is_fine = mkdir(part, 0755) == 0 || errno == EEXIST;
		if (!is_fine)
			buf_add_format(
			    &setup->why, "%s: %s", part, strerror(errno));
		*slash = '/';
	}
	free(part);
	return is_fine;
}

static bool
write_text(const struct setup *setup, int fd, const char *text)
{
	size_t len = strlen(text);

	/* owned by root: readable by the endpoint, not writable */
	if (setup->is_root &&
	    (fchown(fd, 0, setup->group) != 0 || fchmod(fd, 0640) != 0))
		return false;
	if (!setup->is_root && setup->group != getegid() &&
	    (fchown(fd, (uid_t)-1, setup->group) != 0 || fchmod(fd, 0640) != 0))
		return false;
	return write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
}

/* Writes the configuration whole or not at all, and never over an existing
 * file. */
static bool
write_config(struct setup *setup, const char *text)
{
	char *temporary = xasprintf("%s.XXXXXX", setup->config_path);
	int fd = mkostemp(temporary, O_CLOEXEC);
	bool is_made;

	is_made = fd >= 0 && write_text(setup, fd, text) &&
		  link(temporary, setup->config_path) == 0;
	if (!is_made)
		buf_add_format(
		    &setup->why, "%s: %s", setup->config_path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(temporary);
	}
	free(temporary);
	return is_made;
}

static bool
make_config(struct setup *setup)
{
	const char *spool = setup->call->values[OPTION_SPOOL];
	bool is_made;
	char *text;

	if (access(setup->config_path, F_OK) == 0)
		return true;
	text = make_text(spool != NULL ? spool : CONFIG_DEFAULT_SPOOL);
	is_made = make_parents(setup, setup->config_path) &&
		  write_config(setup, text);
	setup->is_config_new = is_made;
	free(text);
	return is_made;
}

static bool
read_config(struct setup *setup)
{
	const char *spool = setup->call->values[OPTION_SPOOL];

	setup->config =
	    config_load(setup->config_path, CONFIG_ALL, &setup->why);
	if (setup->config == NULL)
		return false;
	if (spool == NULL || strcmp(spool, setup->config->spool.path) == 0)
		return true;
	buf_add_format(&setup->why,
	    "%s exists already, with the spool at %s; to use %s, change path "
	    "in [spool] there",
	    setup->config_path, setup->config->spool.path, spool);
	return false;
}

/* ---- the spool ---- */

static bool
make_spool(struct setup *setup)
{
	const char *path = setup->config->spool.path;
	char *database = xasprintf("%s/spool.db", path);
	bool is_shared = setup->call->values[OPTION_GROUP] != NULL;
	bool is_fine;

	setup->is_spool_new = access(database, F_OK) != 0;
	is_fine = make_parents(setup, path) &&
		  store_create(path, setup->owner, setup->group, is_shared,
		      &setup->why) == STORE_OK;
	free(database);
	return is_fine;
}

/* ---- the next steps ---- */

/* Returns the newest secret, the successor of older ones that are still
 * accepted. */
static const char *
newest(const struct text_list *list)
{
	return list->count > 0 ? list->items[list->count - 1] : NULL;
}

static char *
url_of(const struct config *config)
{
	const char *key = newest(&config->endpoint.path_keys);

	return xasprintf("https://YOUR-HOST/webhooks%s%s",
	    key != NULL ? "/" : "", key != NULL ? key : "");
}

static void
print_json(const struct setup *setup, const char *url)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_text(&out, "config", setup->config_path);
	jsonout_bool(&out, "config_created", setup->is_config_new);
	jsonout_text(&out, "spool", setup->config->spool.path);
	jsonout_bool(&out, "spool_created", setup->is_spool_new);
	jsonout_text(&out, "url", url);
	jsonout_text(
	    &out, "path_key", newest(&setup->config->endpoint.path_keys));
	jsonout_text(&out, "verify_token",
	    newest(&setup->config->endpoint.verify_tokens));
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

static void
print_line(const char *what, const char *path, bool is_new)
{
	printf("%-14s  ", what);
	print_safe(path);
	puts(is_new ? "  (created)" : "  (exists already, kept)");
}

/* Prints how to call a subcommand with this configuration. */
static void
print_call(const struct setup *setup, const char *subcommand)
{
	printf("  hookspool ");
	if (setup->call->config_option != NULL) {
		printf("-c ");
		print_safe(setup->config_path);
		putchar(' ');
	}
	puts(subcommand);
}

/* Prints how to recognise events that came by this URL. */
static void
print_key(const struct endpoint_config *endpoint)
{
	const char *key = newest(&endpoint->path_keys);
	char fingerprint[FINGERPRINT_SIZE];

	if (key == NULL)
		return;
	printf("The log shows key_fingerprint=%s for each event that came by "
	       "this URL.\n",
	    fingerprint_make(key, fingerprint));
	if (endpoint->path_keys.count > 1)
		printf("The URL has the last of %zu path keys; the endpoint "
		       "accepts all of them.\n",
		    endpoint->path_keys.count);
}

static void
print_text(const struct setup *setup, const char *url)
{
	const struct endpoint_config *e = &setup->config->endpoint;

	print_line("configuration", setup->config_path, setup->is_config_new);
	print_line("spool", setup->config->spool.path, setup->is_spool_new);
	if (!setup->is_config_new && !setup->is_spool_new)
		puts("Nothing was missing; nothing was changed.");
	puts("\nPaste into the webhook settings of your community:");
	printf("  Endpoint URL  %s\n", url);
	printf("  Verify token  ");
	print_safe(e->verify_tokens_problem != NULL
		       ? e->verify_tokens_problem
		       : newest(&e->verify_tokens));
	puts("\n(YOUR-HOST is your web server; /webhooks is the endpoint's "
	     "path in its configuration.)");
	print_key(e);
	if (e->path_keys_problem != NULL) {
		printf("The URL lacks the path key: ");
		print_safe(e->path_keys_problem);
		putchar('\n');
	}
	printf("\nNext: %s",
	    setup->config->destination_count == 0
		? "add a [destination NAME] with its url to the configuration, "
		  "then run\n"
		: "run\n");
	print_call(setup, "check");
	puts("and, when the web server serves the endpoint, try it as the "
	     "sender:");
	print_call(setup, "probe URL");
}

/* Returns whether a line of the configuration can hold the path. */
static bool
is_path(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return *text == '/' && p[-1] != ' ';
}

static int
run_init(struct call *call)
{
	struct setup setup = {.call = call,
	    .owner = geteuid(),
	    .group = getegid(),
	    .is_root = geteuid() == 0};
	const char *spool = call->values[OPTION_SPOOL];
	int status = STATUS_WRONG;
	char *url;

	if (spool != NULL && !is_path(spool))
		return command_misuse(call,
		    "--spool \"%s\" is not an absolute path; write a path that "
		    "begins with /",
		    spool);
	umask(022); /* the web server's user must have access */
	buf_init(&setup.why, WHY_MAX_BYTES);
	setup.config_path = config_find(call->config_option);
	if (!find_user(&setup, call->values[OPTION_USER]) ||
	    !find_group(&setup, call->values[OPTION_GROUP]) ||
	    !make_config(&setup) || !read_config(&setup) ||
	    !make_spool(&setup)) {
		command_fail("%s", buf_text(&setup.why));
		goto out;
	}
	config_note_spool(setup.config);
	url = url_of(setup.config);
	if (call->values[OPTION_JSON] != NULL)
		print_json(&setup, url);
	else
		print_text(&setup, url);
	free(url);
	status = STATUS_FINE;
out:
	config_drop(setup.config);
	free(setup.config_path);
	buf_free(&setup.why);
	return status;
}

const struct command command_init = {.name = "init",
    .operands = "",
    .options = init_options,
    .run = run_init,
    .summary = "create what is missing: configuration, secrets, spool"};
