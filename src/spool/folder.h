/*
 * Checks the folder of the spool before any file in the folder is opened. For
 * the files of spool/ only.
 */
#ifndef HOOKSPOOL_FOLDER_H
#define HOOKSPOOL_FOLDER_H

#include <stdint.h>

#include "base/buf.h"
#include "spool/spool.h"

#define FOLDER_MODE        0700
#define FOLDER_SHARED_MODE 02770 /* two users of one group */

/* Returns the name of a refused file system by its number in statfs(2); NULL:
 * accepted. */
const char *folder_refused_type(uint32_t type);

/* STORE_REFUSED, with `why`, if the folder is on a refused file system. */
enum store_status folder_check_type(int fd, const char *path, struct buf *why);

/* Opens the folder, if fit for a spool; the caller closes `fd`. Except on
 * STORE_OK, `why` is a sentence and `fd` is -1. */
enum store_status folder_open(const char *path, int *fd, struct buf *why);

#endif
