/*
 * Starts the relay as an independent process that inherits nothing: its own
 * session, /dev/null as descriptors 0 to 2 and no others, working folder /,
 * umask 0007, only PATH in the environment, default signals.
 */
#ifndef HOOKSPOOL_SPAWN_H
#define HOOKSPOOL_SPAWN_H

/* Runs `program -c config_path relay --on-demand`. Returns 0 once the program
 * runs, else an errno. Only for a process without threads and without an open
 * spool. Does not wait for the child's end: the caller ignores SIGCHLD, or ends
 * soon. */
int spawn_relay(const char *program, const char *config_path);

/* Closes all descriptors from `first` on. */
void spawn_close_from(int first);

#endif
