/*
 * The configuration and open spool that this process uses now. Looks for
 * changes at most once a second, while requests come. Keeps the current
 * configuration if the new file is bad, and opens the spool when a request
 * needs it, so correcting either one heals without a restart.
 */
#ifndef HOOKSPOOL_SETTINGS_H
#define HOOKSPOOL_SETTINGS_H

#include <stdbool.h>

#include "conf/conf.h"
#include "spool/spool.h"

struct settings;
struct shared_store;

/* The configuration and spool of one request, from settings_take to
 * settings_release. */
struct settings_view {
	struct settings *settings;
	const struct config *config;       /* NULL: no good one */
	struct store *store;               /* NULL: not open */
	const struct config *store_config; /* names `store`; mostly `config` */
	struct shared_store *shared_store;
};

/* Reads the configuration at `path` (copied), or the last good one; opens no
 * spool. Logs faults. The caller frees the settings. */
struct settings *settings_new(const char *path);

/* Opens the spool for a process that serves many requests. After a failure, the
 * next request that needs the spool tries again. Call after the last fork. */
void settings_open_store(struct settings *settings);

/* Makes the first settings_take repeat all faults, in the web server's log,
 * where people look. Call before requests come and before there are threads. */
void settings_await_requests(struct settings *settings);

/* Closes the spool for good, with its checkpoint, and keeps its configuration.
 * Call after the answer in a process that answers one request, when no view has
 * the spool. */
void settings_close_store(struct settings *settings);

/* Takes a view of what is current, and releases it. Thread-safe. */
void settings_take(struct settings *settings, struct settings_view *view);
void settings_release(struct settings *settings, struct settings_view *view);

/* Opens the spool for a view without one, or waits for the thread that is
 * opening it, until `deadline_ms` (clock_mono_ms). view->store stays NULL on
 * failure, which is logged, or after the deadline. Thread-safe. */
void settings_use_store(struct settings_view *view, int64_t deadline_ms);

/* Closes the spool and frees everything. No view may be left. NULL-safe. */
void settings_free(struct settings *settings);

#endif
