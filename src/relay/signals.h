/*
 * The relay's signals: flags, and a descriptor that ends the wait
 * (signalfd(2)).
 */
#ifndef HOOKSPOOL_SIGNALS_H
#define HOOKSPOOL_SIGNALS_H

#include <stdbool.h>

/* Ignores SIGHUP until signals_set, so that SIGHUP does not end the process.
 * Lets SIGTERM and SIGINT end it, also after signals_set: for a new program. */
void signals_ignore_reload(void);

/* Makes SIGTERM and SIGINT stop, and SIGHUP reload. Ignores SIGPIPE, which
 * would end a program that writes to closed sockets. Returns false with
 * errno. */
bool signals_set(void);

/* Becomes readable when a signal comes; signals_drain empties it. */
int signals_fd(void);
void signals_drain(void);

/* Return whether to stop, which is final; stop without a signal. */
bool signals_is_stop(void);
void signals_stop(void);

/* Returns whether a reload was requested since the last call. */
bool signals_take_reload(void);

#endif
