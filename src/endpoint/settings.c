/*
 * The current configuration and spool: see settings.h. Each is shared by
 * counting its users; the last one that lets an old one go frees it. One
 * thread at a time refreshes, without the lock, while the others go on with
 * what there is.
 */
#include "config.h"

#include "endpoint/settings.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define CHECK_EVERY_MS 1000
#define WHY_MAX_BYTES  4096

struct shared_config {
	struct config *config;
	int users;
};

struct shared_store {
	struct store *store;
	char *path;
	int users;
};

struct settings {
	char *path;
	pthread_mutex_t mutex; /* guards what follows, to the blank line */
	struct shared_config *config; /* NULL: none */
	struct shared_store *store;   /* NULL: none */
	bool is_refreshing;
	int64_t checked_at_ms;

	/* Only who refreshes uses these. */
	bool opens_store;
	bool is_kept;           /* the configuration is, beside the spool */
	char *config_complaint; /* what was last logged; NULL: nothing */
	char *store_complaint;
	char *keep_complaint;
};

static void
drop_config(struct shared_config *config)
{
	if (config == NULL || --config->users > 0)
		return;
	config_free(config->config);
	free(config);
}

static void
drop_store(struct shared_store *store)
{
	if (store == NULL || --store->users > 0)
		return;
	store_close(store->store);
	free(store->path);
	free(store);
}

/* Logs each complaint once, however often it is found again. */
static void
complain(char **last, const char *message, const struct buf *why)
{
	if (*last != NULL && strcmp(*last, buf_text(why)) == 0)
		return;
	free(*last);
	*last = xstrdup(buf_text(why));
	log_note(LOG_LEVEL_ERROR, message, LOG_TEXT("why", *last));
}

static void
withdraw(char **last)
{
	free(*last);
	*last = NULL;
}

static void
log_problems(const struct endpoint_config *endpoint)
{
	if (endpoint->verify_tokens_problem != NULL)
		log_note(LOG_LEVEL_ERROR, "no verification is possible",
		    LOG_TEXT("why", endpoint->verify_tokens_problem));
	if (endpoint->path_keys_problem != NULL)
		log_note(LOG_LEVEL_ERROR, "no request can be served",
		    LOG_TEXT("why", endpoint->path_keys_problem));
}

static void
use_config(struct settings *settings, struct config *config)
{
	struct shared_config *fresh = xcalloc(1, sizeof *fresh), *old;

	fresh->config = config;
	fresh->users = 1;
	config_open_log(&config->log, "hookspool.fcgi");
	pthread_mutex_lock(&settings->mutex);
	old = settings->config;
	settings->config = fresh;
	drop_config(old);
	pthread_mutex_unlock(&settings->mutex);
	log_problems(&config->endpoint);
}

/* The configuration at the path; where that is bad the one in use stays, and
 * where there is none, the last good one is used. Whether it is another one
 * now. */
static bool
load_config(struct settings *settings)
{
	struct config *config;
	bool is_new = false;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	config = config_load(settings->path, CONFIG_ENDPOINT, &why);
	if (config != NULL) {
		withdraw(&settings->config_complaint);
		settings->is_kept = false;
		use_config(settings, config);
		is_new = true;
		goto out;
	}
	complain(&settings->config_complaint, "configuration refused", &why);
	if (settings->config != NULL)
		goto out;
	config = config_load_kept(settings->path, &why);
	if (config != NULL) {
		settings->is_kept = true;
		use_config(settings, config);
		is_new = true;
		log_plain(
		    LOG_LEVEL_WARN, "the last good configuration is used");
	}
out:
	buf_free(&why);
	return is_new;
}

static struct store *
open_store(struct settings *settings, const struct spool_config *spool)
{
	struct store_options options = {
	    .path = spool->path,
	    .access = STORE_CAPTURE,
	    .min_free_bytes = spool->min_free_bytes,
	    .max_size_bytes = spool->max_size_bytes,
	};
	struct store *store = NULL;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	if (store_open(&options, &store, &why) == STORE_OK)
		withdraw(&settings->store_complaint);
	else
		complain(&settings->store_complaint,
		    "the spool cannot be opened", &why);
	buf_free(&why);
	return store;
}

static void
use_store(struct settings *settings, struct store *store, const char *path)
{
	struct shared_store *fresh = xcalloc(1, sizeof *fresh), *old;

	fresh->store = store;
	fresh->path = xstrdup(path);
	fresh->users = 1;
	pthread_mutex_lock(&settings->mutex);
	old = settings->store;
	settings->store = fresh;
	drop_store(old);
	pthread_mutex_unlock(&settings->mutex);
}

/* Whether the open spool is the one that the configuration names. */
static bool
has_configured_store(const struct settings *settings)
{
	return settings->store != NULL &&
	       strcmp(settings->store->path,
		   settings->config->config->spool.path) == 0;
}

/* The spool that the configuration names. One that was in use before stays
 * so until this one can be opened. */
static void
follow_store(struct settings *settings)
{
	const struct spool_config *spool = &settings->config->config->spool;
	struct store *store;

	if (has_configured_store(settings)) {
		store_set_limits(settings->store->store, spool->min_free_bytes,
		    spool->max_size_bytes);
		return;
	}
	store = open_store(settings, spool);
	if (store != NULL)
		use_store(settings, store, spool->path);
}

static void
keep_config(struct settings *settings)
{
	struct buf why;

	if (settings->is_kept || !has_configured_store(settings))
		return;
	buf_init(&why, WHY_MAX_BYTES);
	settings->is_kept = true; /* or it will be with the next change */
	if (config_keep(settings->config->config, &why))
		withdraw(&settings->keep_complaint);
	else
		complain(&settings->keep_complaint,
		    "the last good configuration cannot be kept", &why);
	buf_free(&why);
}

static void
refresh(struct settings *settings)
{
	bool is_new = false;

	if (settings->config == NULL ||
	    config_is_stale(settings->config->config))
		is_new = load_config(settings);
	if (!settings->opens_store || settings->config == NULL)
		return;
	if (is_new || !has_configured_store(settings))
		follow_store(settings);
	keep_config(settings);
}

struct settings *
settings_new(const char *path)
{
	struct settings *settings = xcalloc(1, sizeof *settings);

	settings->path = xstrdup(path);
	pthread_mutex_init(&settings->mutex, NULL);
	refresh(settings);
	settings->checked_at_ms = clock_mono_ms();
	return settings;
}

void
settings_open_store(struct settings *settings)
{
	settings->opens_store = true;
	refresh(settings);
}

void
settings_close_store(struct settings *settings)
{
	settings->opens_store = false;
	drop_store(settings->store);
	settings->store = NULL;
}

/* Whether this thread is to refresh now. Under the lock. */
static bool
is_due(struct settings *settings)
{
	int64_t now_ms = clock_mono_ms();

	if (settings->is_refreshing ||
	    now_ms - settings->checked_at_ms < CHECK_EVERY_MS)
		return false;
	settings->is_refreshing = true;
	settings->checked_at_ms = now_ms;
	return true;
}

void
settings_take(struct settings *settings, struct settings_view *view)
{
	pthread_mutex_lock(&settings->mutex);
	if (is_due(settings)) {
		pthread_mutex_unlock(&settings->mutex);
		refresh(settings);
		pthread_mutex_lock(&settings->mutex);
		settings->is_refreshing = false;
	}
	*view = (struct settings_view){
	    .shared_config = settings->config, .shared_store = settings->store};
	if (view->shared_config != NULL) {
		view->shared_config->users++;
		view->config = view->shared_config->config;
	}
	if (view->shared_store != NULL) {
		view->shared_store->users++;
		view->store = view->shared_store->store;
	}
	pthread_mutex_unlock(&settings->mutex);
}

void
settings_release(struct settings *settings, struct settings_view *view)
{
	pthread_mutex_lock(&settings->mutex);
	drop_config(view->shared_config);
	drop_store(view->shared_store);
	pthread_mutex_unlock(&settings->mutex);
	*view = (struct settings_view){.config = NULL};
}

void
settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	drop_store(settings->store);
	drop_config(settings->config);
	pthread_mutex_destroy(&settings->mutex);
	free(settings->config_complaint);
	free(settings->store_complaint);
	free(settings->keep_complaint);
	free(settings->path);
	free(settings);
}
