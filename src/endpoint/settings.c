/*
 * The current configuration and spool: see settings.h. Both are shared. One
 * thread at a time refreshes them, without holding the lock, while the other
 * threads go on with the current ones.
 */
#include "config.h"

#include "endpoint/settings.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "conf/choice.h"
#include "endpoint/complaint.h"
#include "endpoint/moved.h"

#define CHECK_EVERY_MS 1000
#define OPEN_WAIT_MS   1000 /* for a spool no request waits for */
#define WHY_MAX_BYTES  4096

/* An open spool and its users: the settings and each view. The last user to go
 * closes the spool. Counted under the lock of the settings. */
struct shared_store {
	struct store *store;
	char *path; /* the folder */
	int users;
};

struct settings {
	char *path;
	pthread_mutex_t mutex; /* guards the members up to the blank line */
	pthread_cond_t is_idle;
	const struct config *config; /* held; NULL: none */
	struct shared_store *store;  /* NULL: none */
	bool is_refreshing;
	int64_t check_at_ms;

	/* Used only by the thread that refreshes. */
	bool is_for_one;     /* this process serves one request */
	int64_t retry_at_ms; /* no earlier try to open the spool */
	bool is_kept;        /* the last good configuration is up to date */
	bool is_passing;     /* choose again even if no file changes */
	bool must_repeat;    /* log complaints again, where people look */
	struct complaints complaints;
};

/* Makes one with one user, the caller. Takes `store`, copies `path`. */
static struct shared_store *
shared_store_new(struct store *store, const char *path)
{
	struct shared_store *shared = xcalloc(1, sizeof *shared);

	shared->store = store;
	shared->path = xstrdup(path);
	shared->users = 1;
	return shared;
}

/* Removes a user. NULL-safe. */
static void
shared_store_drop(struct shared_store *shared)
{
	if (shared == NULL || --shared->users > 0)
		return;
	store_close(shared->store);
	free(shared->path);
	free(shared);
}

/* Opens the spool. Sets `why` unless STORE_OK. */
static enum store_status
try_store(const struct settings *settings, const struct spool_config *spool,
    int64_t deadline_ms, struct store **store, struct buf *why)
{
	struct store_options options = store_options_for(spool, STORE_CAPTURE);

	options.open_by_ms = deadline_ms;
	options.is_for_one = settings->is_for_one;
	return store_open(&options, store, why);
}

/* Opens the spool and logs a failure. `deadline_ms` as in store_options. */
static enum store_status
open_store(struct settings *settings, const struct spool_config *spool,
    int64_t deadline_ms, struct store **store)
{
	enum store_status status;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	status = try_store(settings, spool, deadline_ms, store, &why);
	if (status == STORE_OK)
		complaint_withdraw(&settings->complaints, COMPLAINT_STORE);
	else
		complaint_make(&settings->complaints, COMPLAINT_STORE, &why);
	if (status != STORE_BUSY) /* bounded by its deadline instead */
		settings->retry_at_ms = clock_mono_ms() + CHECK_EVERY_MS;
	buf_free(&why);
	return status;
}

/* Hands requests a new configuration, a new store, or both in one step, so that
 * an event's spool and the woken relay match. Takes `config`. NULL leaves the
 * current one in place. */
static void
use(struct settings *settings, const struct config *config, struct store *store)
{
	const struct config *named = config != NULL ? config : settings->config;
	struct shared_store *opened = NULL, *closed = NULL;
	const struct config *old = NULL;

	if (config != NULL)
		config_open_log(&config->log, "hookspool.fcgi");
	if (store != NULL)
		opened = shared_store_new(store, named->spool.path);
	pthread_mutex_lock(&settings->mutex);
	if (config != NULL) {
		old = settings->config;
		settings->config = config;
	}
	if (opened != NULL) {
		closed = settings->store;
		settings->store = opened;
	}
	shared_store_drop(closed);
	pthread_mutex_unlock(&settings->mutex);
	config_drop(old);
	if (config != NULL)
		complaint_about_secrets(&config->endpoint);
}

/* ---- the first configuration ---- */

static void
start_with(struct settings *settings, const struct choice *choice)
{
	settings->is_kept = choice->is_kept;
	settings->is_passing = choice->is_passing;
	if (choice->is_kept)
		log_note(choice->is_passing ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
		    choice->is_passing
			? "the configuration changed less than 2 s ago; the "
			  "last good one is used until then"
			: "the last good configuration is used",
		    LOG_TEXT("spool", choice->config->spool.path));
	use(settings, choice->config, NULL);
}

static void
choose_first(struct settings *settings)
{
	struct choice choice;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	choose_at_start(settings->path, &choice, &why);
	if (why.len > 0)
		complaint_make(&settings->complaints, COMPLAINT_CONFIG, &why);
	else
		complaint_withdraw(&settings->complaints, COMPLAINT_CONFIG);
	buf_free(&why);
	if (choice.config != NULL)
		start_with(settings, &choice);
}

/* ---- another spool ---- */

/* Returns whether the open spool is the configured one. */
static bool
has_store_of(const struct settings *settings, const struct config *config)
{
	return settings->store != NULL &&
	       strcmp(settings->store->path, config->spool.path) == 0;
}

/* Uses the configuration together with its new spool. If the spool cannot be
 * opened, rejects the configuration like any bad one. */
static void
move(struct settings *settings, struct config *config)
{
	char *old = xstrdup(settings->store->path);
	struct store *store = NULL;

	if (open_store(settings, &config->spool, clock_mono_ms() + OPEN_WAIT_MS,
		&store) != STORE_OK) {
		config_drop(config);
	} else {
		settings->is_kept = settings->is_passing = false;
		use(settings, config, store);
		moved_from(old, config);
	}
	free(old);
}

/* ---- a change ---- */

static void
take_up(struct settings *settings, struct config *config)
{
	const struct spool_config *spool = &config->spool;
	struct buf said;

	buf_init(&said, WHY_MAX_BYTES);
	choice_carry_secrets(config, settings->config, &said);
	if (said.len > 0)
		complaint_make(&settings->complaints, COMPLAINT_SECRETS, &said);
	else
		complaint_withdraw(&settings->complaints, COMPLAINT_SECRETS);
	buf_free(&said);
	if (settings->store != NULL && !has_store_of(settings, config)) {
		move(settings, config);
		return;
	}
	settings->is_kept = settings->is_passing = false;
	use(settings, config, NULL);
	if (settings->store != NULL)
		store_set_limits(settings->store->store, spool->min_free_bytes,
		    spool->max_size_bytes);
}

static void
choose_next(struct settings *settings)
{
	struct config *config;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	config = choose_anew(settings->config, &why);
	if (why.len > 0)
		complaint_make(&settings->complaints, COMPLAINT_CONFIG, &why);
	if (config != NULL) {
		complaint_withdraw(&settings->complaints, COMPLAINT_CONFIG);
		take_up(settings, config);
	}
	buf_free(&why);
}

/* ---- the spool ---- */

/* Uses the last good configuration until the file is right, because the file
 * names a spool that cannot be opened; only if the last good spool is another
 * one. */
static void
fall_back(struct settings *settings, int64_t deadline_ms)
{
	const struct config *config = settings->config;
	struct store *store = NULL;
	struct config *kept;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	kept = config_load_kept(settings->path, &why);
	if (kept != NULL && strcmp(kept->spool.path, config->spool.path) != 0)
		try_store(settings, &kept->spool, deadline_ms, &store, &why);
	if (store == NULL) {
		config_drop(kept);
	} else {
		log_note(LOG_LEVEL_ERROR,
		    "events are stored in the spool of the last good "
		    "configuration, and delivered when the configured spool "
		    "can be opened",
		    LOG_TEXT("spool", kept->spool.path),
		    LOG_TEXT("configured", config->spool.path));
		settings->is_kept = true;
		settings->is_passing = true;
		use(settings, kept, store);
	}
	buf_free(&why);
}

static void
keep_config(struct settings *settings)
{
	const struct config *config = settings->config;
	struct buf why;

	if (settings->is_kept)
		return;
	buf_init(&why, WHY_MAX_BYTES);
	settings->is_kept = true; /* on failure, retried at the next change */
	if (config_keep(config, config->spool.path, &why))
		complaint_withdraw(&settings->complaints, COMPLAINT_KEEP);
	else
		complaint_make(&settings->complaints, COMPLAINT_KEEP, &why);
	buf_free(&why);
}

/* Opens the configured spool, or falls back to the last good one. Does not fall
 * back from a locked spool: it exists, and will become free. */
static void
open_first(struct settings *settings, int64_t deadline_ms)
{
	struct store *store = NULL;
	enum store_status status;

	if (settings->config == NULL)
		return;
	status =
	    open_store(settings, &settings->config->spool, deadline_ms, &store);
	if (status == STORE_OK)
		use(settings, NULL, store);
	else if (status != STORE_BUSY)
		fall_back(settings, deadline_ms);
	if (settings->store != NULL)
		keep_config(settings);
}

static void
refresh(struct settings *settings)
{
	if (settings->config == NULL)
		choose_first(settings);
	else if (settings->is_passing || config_is_stale(settings->config))
		choose_next(settings);
	if (settings->store != NULL)
		keep_config(settings);
	if (settings->must_repeat)
		complaint_repeat(&settings->complaints);
	settings->must_repeat = false;
}

struct settings *
settings_new(const char *path)
{
	struct settings *settings = xcalloc(1, sizeof *settings);

	settings->path = xstrdup(path);
	settings->is_for_one = true;
	pthread_mutex_init(&settings->mutex, NULL);
	pthread_cond_init(&settings->is_idle, NULL);
	refresh(settings);
	settings->check_at_ms = clock_mono_ms() + CHECK_EVERY_MS;
	return settings;
}

void
settings_open_store(struct settings *settings)
{
	settings->is_for_one = false;
	open_first(settings, clock_mono_ms() + OPEN_WAIT_MS);
}

void
settings_await_requests(struct settings *settings)
{
	settings->must_repeat = true;
	settings->check_at_ms = 0;
}

void
settings_close_store(struct settings *settings)
{
	if (settings->store != NULL)
		store_finish(settings->store->store);
	shared_store_drop(settings->store);
	settings->store = NULL;
	/* No refresh from here on: the relay to wake is the one of the used
	 * spool. */
	settings->check_at_ms = INT64_MAX;
}

/* Returns whether this thread should refresh now. Call with the lock. */
static bool
is_due(struct settings *settings)
{
	int64_t now_ms = clock_mono_ms();

	if (settings->is_refreshing || now_ms < settings->check_at_ms)
		return false;
	settings->is_refreshing = true;
	settings->check_at_ms = now_ms + CHECK_EVERY_MS;
	return true;
}

/* Call with the lock. */
static void
end_refresh(struct settings *settings)
{
	settings->is_refreshing = false;
	pthread_cond_broadcast(&settings->is_idle);
}

/* Gives the view the open spool, if any, and its configuration. Call with the
 * lock. */
static void
give_store(struct settings *settings, struct settings_view *view)
{
	if (settings->store == NULL)
		return;
	view->shared_store = settings->store;
	view->shared_store->users++;
	view->store = view->shared_store->store;
	view->store_config = config_hold(settings->config);
}

void
settings_take(struct settings *settings, struct settings_view *view)
{
	pthread_mutex_lock(&settings->mutex);
	if (is_due(settings)) {
		pthread_mutex_unlock(&settings->mutex);
		refresh(settings);
		pthread_mutex_lock(&settings->mutex);
		end_refresh(settings);
	}
	*view = (struct settings_view){.settings = settings};
	if (settings->config != NULL)
		view->config = config_hold(settings->config);
	give_store(settings, view);
	pthread_mutex_unlock(&settings->mutex);
}

/* Waits until no thread refreshes, or the spool is open. Returns false after
 * the deadline, or if opening the spool failed a moment ago. Call with the
 * lock. */
static bool
await_turn(struct settings *settings, int64_t deadline_ms)
{
	struct timespec until = {
	    .tv_sec = (time_t)(deadline_ms / 1000),
	    .tv_nsec = (long)(deadline_ms % 1000) * 1000000,
	};

	while (settings->is_refreshing && settings->store == NULL)
		if (pthread_cond_clockwait(&settings->is_idle, &settings->mutex,
			CLOCK_MONOTONIC, &until) != 0)
			return false;
	return settings->store != NULL ||
	       clock_mono_ms() >= settings->retry_at_ms;
}

void
settings_use_store(struct settings_view *view, int64_t deadline_ms)
{
	struct settings *settings = view->settings;

	if (view->store != NULL)
		return;
	pthread_mutex_lock(&settings->mutex);
	if (await_turn(settings, deadline_ms) && settings->store == NULL) {
		settings->is_refreshing = true;
		pthread_mutex_unlock(&settings->mutex);
		open_first(settings, deadline_ms);
		pthread_mutex_lock(&settings->mutex);
		end_refresh(settings);
	}
	give_store(settings, view);
	pthread_mutex_unlock(&settings->mutex);
}

void
settings_release(struct settings *settings, struct settings_view *view)
{
	config_drop(view->config);
	config_drop(view->store_config);
	pthread_mutex_lock(&settings->mutex);
	shared_store_drop(view->shared_store);
	pthread_mutex_unlock(&settings->mutex);
	*view = (struct settings_view){.config = NULL};
}

void
settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	shared_store_drop(settings->store);
	config_drop(settings->config);
	pthread_cond_destroy(&settings->is_idle);
	pthread_mutex_destroy(&settings->mutex);
	complaint_free(&settings->complaints);
	free(settings->path);
	free(settings);
}
