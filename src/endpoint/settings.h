/*
 * What this process works with at the moment: the configuration and the
 * open spool. Looks for a change at most once a second, while requests come;
 * keeps what it has where the new file is bad, and opens the spool once it
 * can be opened, so that mending either heals without a restart.
 */
#ifndef HOOKSPOOL_SETTINGS_H
#define HOOKSPOOL_SETTINGS_H

#include <stdbool.h>

#include "config/config.h"
#include "spool/spool.h"

struct settings;
struct shared_config;
struct shared_store;

/* What one request works with, from settings_take to settings_release. */
struct settings_view {
	const struct config *config; /* NULL: there is no good one */
	struct store *store;         /* NULL: it cannot be opened */
	struct shared_config *shared_config;
	struct shared_store *shared_store;
};

/* Reads the configuration at `path` (copied), or the last good one; opens no
 * spool. What is wrong is logged. The caller frees it. */
struct settings *settings_new(const char *path);

/* Opens the spool; from then on, settings_take tries again while it is not
 * open. Not before the last fork. */
void settings_open_store(struct settings *settings);

/* Requests come from now on: the first settings_take says once more what is
 * wrong, in the log of the web server, where people look. Before there are
 * threads. */
void settings_await_requests(struct settings *settings);

/* Closes the spool, which no view has, for good. */
void settings_close_store(struct settings *settings);

/* What is current now. Thread-safe. */
void settings_take(struct settings *settings, struct settings_view *view);
void settings_release(struct settings *settings, struct settings_view *view);

/* Closes the spool and frees all; no view is taken any more. NULL-safe. */
void settings_free(struct settings *settings);

#endif
