/*
 * Files with configuration and secrets: read whole, refused if others can read
 * them, and remembered for noticing changes.
 */
#ifndef HOOKSPOOL_FILE_H
#define HOOKSPOOL_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* A file, and its state when read. */
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

/* Records the state of `path` in `file` and reads the contents into `bytes` (up
 * to its maximum). Returns false with `why` if the file is missing, unreadable,
 * not regular, too large or readable by others; `bytes` still has the part that
 * was read. The caller always frees file->path. */
bool file_read(const char *path, struct buf *bytes, struct config_file *file,
    struct buf *why);

/* Reads a file like file_read, but others may read it too. */
bool file_read_public(const char *path, struct buf *bytes,
    struct config_file *file, struct buf *why);

/* Returns the file's state now; `path` is NULL. */
struct config_file file_look(const char *path);

/* Returns whether the file changed within `for_ms` before `wall_ms`. */
bool file_is_fresh(
    const struct config_file *file, int64_t wall_ms, int64_t for_ms);

/* Returns whether the file has changed since `file` was recorded. */
bool file_is_changed(const struct config_file *file);

#endif
