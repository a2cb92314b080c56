/*
 * The FastCGI process: worker threads that each accept a connection and
 * serve it, until the process is to stop. Then no new connection is taken
 * but those that wait already, what was accepted is finished, and it ends.
 */
#ifndef HOOKSPOOL_SERVER_H
#define HOOKSPOOL_SERVER_H

#include "endpoint/settings.h"
#include "endpoint/starter.h"

/* Serves the listening socket `fd` until SIGTERM, SIGUSR1 or SIGINT (returns
 * 0), or until the spool broke (returns 75: to be started afresh). `starter`
 * may be NULL. Once in a process. */
int server_run(int fd, struct settings *settings, struct starter *starter);

#endif
