/*
 * What this process works with at the moment: the configuration and the
 * open spool. Looks for a change at most once a second, while requests come;
 * keeps what it has where the new file is bad, and opens the spool when a
 * request needs it, so that mending either heals without a restart.
 */
#ifndef HOOKSPOOL_SETTINGS_H
#define HOOKSPOOL_SETTINGS_H

#include <stdbool.h>

#include "conf/conf.h"
#include "spool/spool.h"

struct settings;
struct shared_config;
struct shared_store;

/* What one request works with, from settings_take to settings_release. */
struct settings_view {
	struct settings *settings;
	const struct config *config;       /* NULL: there is no good one */
	struct store *store;               /* NULL: it is not open */
	const struct config *store_config; /* which names it; mostly `config` */
	struct shared_config *shared_config;
	struct shared_config *shared_store_config;
	struct shared_store *shared_store;
};

/* Reads the configuration at `path` (copied), or the last good one; opens no
 * spool. What is wrong is logged. The caller frees it. */
struct settings *settings_new(const char *path);

/* Opens the spool for a process that serves many requests. Where that fails it
 * is tried again when a request needs it. Not before the last fork. */
void settings_open_store(struct settings *settings);

/* Requests come from now on: the first settings_take says once more what is
 * wrong, in the log of the web server, where people look. Before there are
 * threads. */
void settings_await_requests(struct settings *settings);

/* Closes the spool, which no view has, for good, and leaves the configuration
 * that it was used with. In a process that answers one
 * request, after the answer: with the checkpoint that is left to it. */
void settings_close_store(struct settings *settings);

/* What is current now. Thread-safe. */
void settings_take(struct settings *settings, struct settings_view *view);
void settings_release(struct settings *settings, struct settings_view *view);

/* Opens the spool for a view that has none, or waits for who opens it, until
 * `deadline_ms` (clock_mono_ms). view->store stays NULL if it cannot be opened
 * (that is logged), or not in time. Thread-safe. */
void settings_use_store(struct settings_view *view, int64_t deadline_ms);

/* Closes the spool and frees all; no view is taken any more. NULL-safe. */
void settings_free(struct settings *settings);

#endif
