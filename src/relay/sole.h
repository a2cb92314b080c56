/*
 * Makes this process the spool's only relay by the relay lock, and waits for
 * the lock as long as the options allow.
 */
#ifndef HOOKSPOOL_SOLE_H
#define HOOKSPOOL_SOLE_H

struct relay_options;

/* Takes the relay lock, with the mode as the holder's role. Returns a
 * descriptor, or -1 with errno. */
int sole_take_lock(const struct relay_options *options);

/* Logs why the lock could not be taken. Returns 0 if another relay does the
 * work, else the exit status of a failure. */
int sole_explain(const char *path, int error);

#endif
