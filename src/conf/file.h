/*
 * Files that hold configuration and secrets: read whole, refused if others
 * can read them, and remembered so that a change is noticed.
 */
#ifndef HOOKSPOOL_FILE_H
#define HOOKSPOOL_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* A file, and how it looked when it was read. */
struct config_file {
	char *path;
	bool is_there;
	dev_t device;
	ino_t inode;
	mode_t mode;
	off_t size;
	int64_t changed_s;
	long changed_ns;
};

/* Notes in `file` how `path` looks and reads it into `bytes` (up to its
 * maximum). False, with `why`, if it is not to be had, not a regular file,
 * too large, or can be read by others; `bytes` has what was read even so. The
 * caller frees file->path, in any case. */
bool file_read(const char *path, struct buf *bytes, struct config_file *file,
    struct buf *why);

/* The same for a file that others may read. */
bool file_read_public(const char *path, struct buf *bytes,
    struct config_file *file, struct buf *why);

/* How the file looks now; its `path` is NULL. */
struct config_file file_look(const char *path);

/* Whether it had changed less than `for_ms` before `wall_ms`. */
bool file_is_fresh(
    const struct config_file *file, int64_t wall_ms, int64_t for_ms);

/* Whether it looks different now. */
bool file_is_changed(const struct config_file *file);

#endif
