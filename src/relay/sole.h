/*
 * Being the only relay of a spool: the relay lock, as long as the options say
 * that it is waited for.
 */
#ifndef HOOKSPOOL_SOLE_H
#define HOOKSPOOL_SOLE_H

struct relay_options;

/* Takes the relay lock, with the mode as its holder's role. A descriptor, or
 * -1 with errno. */
int sole_take_lock(const struct relay_options *options);

/* Logs why it was not to be had. 0 where another relay does the work, else the
 * exit status of a failure. */
int sole_explain(const char *path, int error);

#endif
