/*
 * The site from the endpoint's view: see site.h.
 */
#include "config.h"

#include "command/site.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/user.h"
#include "base/xalloc.h"
#include "command/command.h"

#define WAIT_MAX_MS 8000 /* monitoring stops a plugin after ten seconds */

/* ---- permissions ---- */

/* Returns the user with the name of the configuration's group, as set by
 * `init`: the web server's. NULL: none. The caller frees the name. */
static char *
group_user_dup(const char *path)
{
	struct stat st;
	char *name;

	if (stat(path, &st) != 0 || st.st_gid == 0)
		return NULL;
	name = group_name_dup(st.st_gid);
	if (getpwnam(name) != NULL)
		return name;
	free(name);
	return NULL;
}

/* Returns the same user, or the usual one. */
static char *
reader_dup(const char *path)
{
	char *name = group_user_dup(path);

	return name != NULL ? name : xstrdup(WEB_USER);
}

static void
add_hidden(struct buf *why, const char *path, const char *file)
{
	char *self = user_name_dup(geteuid()), *reader = reader_dup(file);

	buf_add_format(why, "%s cannot be read by %s; run this as root or %s",
	    path, self, reader);
	free(reader);
	free(self);
}

bool
site_check_reader(const char *path, struct buf *why)
{
	if (access(path, R_OK) == 0 || errno != EACCES)
		return true;
	add_hidden(why, path, path);
	return false;
}

bool
site_is_hidden(const struct config *config, struct buf *why)
{
	struct stat folder;
	char *self, *reader;
	bool is_reader;

	if (geteuid() == 0 || access(config->spool.path, R_OK | X_OK) == 0 ||
	    errno != EACCES || stat(config->spool.path, &folder) != 0 ||
	    folder.st_uid == geteuid())
		return false;
	self = user_name_dup(geteuid());
	reader = reader_dup(config->path);
	is_reader = strcmp(self, reader) == 0 || strcmp(self, WEB_USER) == 0;
	free(reader);
	free(self);
	if (!is_reader)
		add_hidden(why, config->spool.path, config->path);
	return !is_reader;
}

bool
site_is_of_root(const struct config *config, struct buf *what, struct buf *fix)
{
	const char *path = config->spool.path;
	struct stat folder;
	char *user;

	if (stat(path, &folder) != 0 || folder.st_uid != 0)
		return false;
	user = group_user_dup(config->path);
	if (user == NULL)
		return false;
	buf_add_format(what,
	    "%s belongs to root, and by the group of %s the endpoint is %s",
	    path, config->path, user);
	buf_add_format(fix, "chown -R %s %s", user, path);
	free(user);
	return true;
}

/* ---- the configuration ---- */

struct config *
site_load_config(const char *path, bool *is_kept, struct buf *why)
{
	struct config *config = config_load(path, CONFIG_ENDPOINT, why);
	struct buf ignored;

	*is_kept = false;
	if (config != NULL)
		return config;
	buf_init(&ignored, WHY_MAX_BYTES);
	config = config_load_kept(path, &ignored);
	*is_kept = config != NULL;
	buf_free(&ignored);
	return config;
}

/* Tries the configuration as a starting relay would. */
static void
try_relay_config(struct site *site, const char *path)
{
	struct config *config =
	    config_load(path, CONFIG_ALL, &site->config_problem);

	if (config != NULL)
		buf_clear(&site->config_problem);
	config_drop(config);
}

/* ---- capture ---- */

static void
add_of_root(struct site *site)
{
	struct buf fix;

	buf_init(&fix, WHY_MAX_BYTES);
	if (site_is_of_root(site->config, &site->capture_problem, &fix))
		buf_add_format(&site->capture_problem, ": %s", buf_text(&fix));
	buf_free(&fix);
}

static void
add_faults(struct site *site)
{
	struct store_fault *faults;
	size_t count, i;

	store_find_faults(site->config->spool.path, &faults, &count);
	for (i = 0; i < count; i++)
		buf_add_format(&site->capture_problem, "%s%s: %s",
		    i > 0 ? "; " : "", faults[i].what, faults[i].fix);
	store_free_faults(faults, count);
	if (count == 0)
		add_of_root(site);
}

static void
open_store(struct site *site)
{
	const struct store_options options =
	    store_options_for(&site->config->spool, STORE_READ);
	int64_t wait_ms = site->config->endpoint.capture_timeout_ms;
	enum store_status status =
	    store_open(&options, &site->store, &site->store_problem);

	/* An endpoint captures into a spool of the version before, too. */
	if (status != STORE_OK && status != STORE_TOO_OLD)
		buf_add_text(
		    &site->capture_problem, buf_text(&site->store_problem));
	if (status != STORE_OK)
		return;
	status = store_try_capture(
	    site->store, wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
	if (status != STORE_OK)
		buf_add_text(&site->capture_problem, store_why(site->store));
}

static void
try_capture(struct site *site)
{
	const char *problem = site->config->endpoint.path_keys_problem;

	if (problem != NULL)
		buf_add_text(&site->capture_problem, problem);
	else
		open_store(site);
}

/* Becomes the owner, and reads the configuration again as the owner. */
static bool
become_owner(struct site *site, const char *path)
{
	struct buf why;

	if (!owner_become(site->config->spool.path, &site->store_problem)) {
		buf_add_text(
		    &site->capture_problem, buf_text(&site->store_problem));
		return false;
	}
	buf_init(&why, WHY_MAX_BYTES);
	config_drop(site->config);
	site->config = site_load_config(path, &site->is_kept, &why);
	if (site->config == NULL)
		buf_add_text(&site->capture_problem, buf_text(&why));
	buf_free(&why);
	return site->config != NULL;
}

/* Reads the summary. Unreadable data is damage, even if a capture would not
 * notice. */
static void
summarize(struct site *site)
{
	enum store_status status =
	    store_summarize(site->store, clock_wall_ms(), &site->summary);

	site->has_summary = status == STORE_OK;
	if (status == STORE_OK)
		return;
	buf_add_text(&site->store_problem, store_why(site->store));
	if (status == STORE_FAILED && site->capture_problem.len == 0)
		buf_add_text(&site->capture_problem, store_why(site->store));
}

/* Does not open a spool with wrong owners or modes: opening it as the wrong
 * user would do more damage. */
static void
look_at_spool(struct site *site, const char *path)
{
	add_faults(site);
	if (site->capture_problem.len > 0)
		buf_add_text(
		    &site->store_problem, buf_text(&site->capture_problem));
	else if (become_owner(site, path))
		try_capture(site);
	if (site->store != NULL)
		summarize(site);
}

static void
look(struct site *site, const char *path)
{
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	site->config = site_load_config(path, &site->is_kept, &why);
	if (site->config == NULL) {
		buf_add_text(&site->capture_problem, buf_text(&why));
		buf_add_text(&site->store_problem, buf_text(&why));
		buf_add_text(&site->config_problem, buf_text(&why));
	} else if (!site_is_hidden(site->config, &site->hidden)) {
		look_at_spool(site, path);
		try_relay_config(site, path);
	}
	buf_free(&why);
}

void
site_open(struct site *site, const char *option)
{
	char *path = config_find(option);

	*site = (struct site){.config = NULL};
	buf_init(&site->hidden, WHY_MAX_BYTES);
	buf_init(&site->config_problem, WHY_MAX_BYTES);
	buf_init(&site->capture_problem, WHY_MAX_BYTES);
	buf_init(&site->store_problem, WHY_MAX_BYTES);
	if (site_check_reader(path, &site->hidden))
		look(site, path);
	free(path);
}

void
site_close(struct site *site)
{
	if (site->has_summary)
		store_free_summary(&site->summary);
	store_close(site->store);
	config_drop(site->config);
	buf_free(&site->store_problem);
	buf_free(&site->capture_problem);
	buf_free(&site->config_problem);
	buf_free(&site->hidden);
}
