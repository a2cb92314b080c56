/*
 * The FastCGI process: each worker thread accepts a connection and serves it.
 * At a stop, the process still accepts queued connections, finishes all
 * accepted ones, and ends.
 */
#ifndef HOOKSPOOL_SERVER_H
#define HOOKSPOOL_SERVER_H

#include "endpoint/settings.h"
#include "wake/starter.h"

/* Serves the listening socket `fd` until SIGTERM, SIGUSR1 or SIGINT (returns
 * 0), or until the spool is broken or the starter has ended (returns 75, to be
 * restarted). `starter` may be NULL. Call once per process. */
int server_run(int fd, struct settings *settings, struct starter *starter);

#endif
