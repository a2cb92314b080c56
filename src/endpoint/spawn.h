/*
 * Starting the relay as a process of its own, that has nothing of ours: its
 * own session, /dev/null for its three descriptors and no other one, cwd /,
 * umask 0007, an environment of PATH alone, default signals.
 */
#ifndef HOOKSPOOL_SPAWN_H
#define HOOKSPOOL_SPAWN_H

/* Runs `program -c config_path relay --on-demand`. 0 once it runs, else the
 * errno that says why it does not. Only in a process without threads and
 * without an open spool. Its end is not waited for: the caller ignores
 * SIGCHLD, or ends soon. */
int spawn_relay(const char *program, const char *config_path);

/* Closes all descriptors from `first` on. */
void spawn_close_from(int first);

#endif
