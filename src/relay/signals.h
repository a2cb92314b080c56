/*
 * The signals of the relay: flags, and a pipe that ends the waiting.
 */
#ifndef HOOKSPOOL_SIGNALS_H
#define HOOKSPOOL_SIGNALS_H

#include <stdbool.h>

/* Until signals_set: SIGHUP does nothing, rather than end the process. */
void signals_ignore_reload(void);

/* SIGTERM and SIGINT stop, SIGHUP reloads; what would end a program that
 * writes to closed sockets or full files is ignored. False with errno. */
bool signals_set(void);

/* Can be read when a signal came; signals_drain empties it. */
int signals_fd(void);
void signals_drain(void);

/* Whether it was told to stop: for good. By signals_stop without a signal. */
bool signals_is_stop(void);
void signals_stop(void);

/* Whether it was told to reload since this was last asked. */
bool signals_take_reload(void);

#endif
