/*
 * Makes the relay look at the spool (design 2): wakes the running relay, or
 * starts one. In a FastCGI process the starter starts relays. The starter is a
 * child, forked before threads, spool and libfcgi; it keeps only one socket and
 * ends with its parent. It starts a relay at most once a second. A start or
 * wake-up that was suppressed or failed is delayed, never dropped.
 */
#ifndef HOOKSPOOL_STARTER_H
#define HOOKSPOOL_STARTER_H

#include <stdbool.h>

#include "conf/conf.h"

struct starter;

/* Forks the starter, which logs by `log` (NULL: defaults) and starts relays
 * with `-c config_path`. Returns NULL, logged, on failure. The caller ends the
 * starter with starter_stop. */
struct starter *starter_start(
    const char *config_path, const struct log_config *log);

/* Returns whether the starter has ended, for any reason; false if `starter` is
 * NULL. After its end no relay can be started, so the process should exit with
 * 75. Call from one thread, on SIGCHLD. */
bool starter_has_ended(const struct starter *starter);

/* Wakes the relay of the configured spool. If none listens and relays start on
 * demand, asks the starter for one. Thread-safe. With a NULL `starter`, starts
 * nothing. */
void starter_wake(struct starter *starter, const struct config *config);

/* Wakes like starter_wake, or starts a relay itself with `-c config_path`. For
 * a process without starter, threads or an open spool that ends now. */
void starter_wake_alone(const struct config *config, const char *config_path);

/* Ends the starter. NULL-safe. */
void starter_stop(struct starter *starter);

#endif
