/*
 * Whether this process may use the spool, by owners and modes, and the repair
 * of the modes. For the files of spool/ only; store_find_faults tells people
 * what is wrong, whoever asks.
 */
#ifndef HOOKSPOOL_ACCESS_H
#define HOOKSPOOL_ACCESS_H

#include <stdbool.h>

#include "base/buf.h"

/* Takes back what other users may do with the folder at `path` and the files
 * in it, and gives their owner what he lacks, where this process is that
 * owner. The folder must be known to be a spool's: any other must keep its
 * mode. Appends one sentence to `said` for each change that was made. */
void access_repair(const char *path, struct buf *said);

/* Whether the folder, the database and the lock are ours, or shared with a
 * group (which we are taken to be in), and the folder is closed to other users.
 * If not, `why` gets a sentence with the names and the commands. */
bool access_is_ours(const char *path, struct buf *why);

/* The same for the database's log and its index, where they are there. To be
 * asked under the write lock: SQLite makes them, and gives them their mode an
 * instant later. */
bool access_is_log_ours(const char *path, struct buf *why);

/* Adds what is wrong with owners and modes, and the commands that end it, or
 * else whose `path` is. */
void access_say(const char *path, struct buf *why);

#endif
