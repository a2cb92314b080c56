/*
 * Getting the relay to look at the spool (design 2): waking the one that
 * runs, or having one started. In a FastCGI process that is done by the
 * starter, a child forked before threads, spool and libfcgi, which keeps
 * nothing of ours but one socket and ends with us. It starts a relay at most
 * once a second; a start that was suppressed or failed is delayed, never
 * dropped, and so is a wake-up that failed.
 */
#ifndef HOOKSPOOL_STARTER_H
#define HOOKSPOOL_STARTER_H

#include <stdbool.h>

#include "conf/conf.h"

struct starter;

/* Forks the starter, that logs as `log` says (NULL: by default) and starts
 * relays with `-c config_path`. NULL, logged, if that failed. The caller ends
 * it with starter_stop. */
struct starter *starter_start(
    const char *config_path, const struct log_config *log);

/* Whether it is gone, however it went: then nothing is started any more, and
 * this process should end with 75. SIGCHLD tells when to look; one thread
 * asks. False where `starter` is NULL. */
bool starter_has_ended(const struct starter *starter);

/* Wakes the relay of the configured spool. Where nobody listens, and relays
 * are started on demand, has one started. Thread-safe. `starter` may be NULL:
 * then nothing is started. */
void starter_wake(struct starter *starter, const struct config *config);

/* The same for a process that ends now, has neither threads nor an open spool,
 * and no starter: it starts the relay itself, with `-c config_path`. */
void starter_wake_alone(const struct config *config, const char *config_path);

/* Lets the starter end. NULL-safe. */
void starter_stop(struct starter *starter);

#endif
