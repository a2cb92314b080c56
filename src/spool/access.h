/*
 * Checks by owners and modes whether this process may use the spool, and
 * corrects modes. For the files of spool/ only; store_find_faults reports
 * faults to any user.
 */
#ifndef HOOKSPOOL_ACCESS_H
#define HOOKSPOOL_ACCESS_H

#include <stdbool.h>

#include "base/buf.h"

/* Removes other users' access to the folder at `path` and the files in the
 * folder, and gives the owner missing access, if this process is the owner.
 * Only for a folder known to be a spool's: any other must keep its mode.
 * Appends a sentence to `said` for each change. */
void access_repair(const char *path, struct buf *said);

/* Returns whether the folder, the database and the lock are ours, or shared
 * with a group (assumed to be ours), and the folder is closed to other users.
 * If not, `why` gets a sentence with names and commands. */
bool access_is_ours(const char *path, struct buf *why);

/* Returns the same for the database's log and index, if they exist. To be
 * called under the write lock: SQLite creates these files, and sets their modes
 * an instant later. */
bool access_is_log_ours(const char *path, struct buf *why);

/* Appends what is wrong with owners and modes, and the commands to correct
 * them; if nothing is, the owner of `path`. */
void access_say(const char *path, struct buf *why);

#endif
