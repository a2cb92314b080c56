/*
 * Copies the spool while in use, with VACUUM INTO: one read of one moment,
 * without erased bytes. SQLite's backup interface would never end here, because
 * it starts over with every commit of another process.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

#define STEPS_BETWEEN_LOOKS 20000 /* of SQLite's machine: some milliseconds */

struct backup {
	struct store *store;
	const char *path;
	char *part; /* the unfinished file */
	int64_t total_bytes;
	store_backup_progress progress;
	void *arg;
	bool is_stopped;
};

static enum store_status
fail(struct backup *backup, const char *doing, const char *path)
{
	int error = errno;

	return store_say(backup->store,
	    error == ENOSPC || error == EDQUOT ? STORE_FULL : STORE_REFUSED,
	    "could not %s %s: %s", doing, path, strerror(error));
}

/* Creates an empty file of our own: SQLite fills it, and keeps its mode. */
static enum store_status
make_part(struct backup *backup)
{
	struct stat there;
	int fd;

	if (lstat(backup->path, &there) == 0)
		return store_say(backup->store, STORE_REFUSED,
		    "%s is there already", backup->path);
	if (unlink(backup->part) != 0 && errno != ENOENT)
		return fail(backup, "remove", backup->part);
	fd = open(backup->part,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(backup, "make", backup->part);
	close(fd);
	return STORE_OK;
}

/* Called by SQLite from time to time; nonzero stops the copying. */
static int
look(void *arg)
{
	struct backup *backup = arg;
	struct stat part = {0};

	stat(backup->part, &part);
	backup->is_stopped =
	    !backup->progress(backup->arg, part.st_size, backup->total_bytes);
	return backup->is_stopped ? 1 : 0;
}

/* A failure here is the copy's, and says nothing about the spool. */
static enum store_status
copy_db(struct backup *backup)
{
	sqlite3 *db = backup->store->db;
	sqlite3_stmt *statement = NULL;
	enum store_status status = STORE_OK;
	int code;

	/* A process that only reads the spool may still write the copy. */
	(void)sqlite3_exec(db, "PRAGMA query_only = OFF", NULL, NULL, NULL);
	if (backup->progress != NULL)
		sqlite3_progress_handler(db, STEPS_BETWEEN_LOOKS, look, backup);
	code =
	    sqlite3_prepare_v2(db, "VACUUM main INTO ?1", -1, &statement, NULL);
	sql_bind_text(statement, 1, backup->part);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	if (backup->is_stopped)
		status = store_say(
		    backup->store, STORE_REFUSED, "the copying was stopped");
	else if (code != SQLITE_DONE)
		status = store_say(backup->store,
		    (code & 0xff) == SQLITE_FULL ? STORE_FULL : STORE_REFUSED,
		    "could not copy %s to %s: %s", backup->store->path,
		    backup->part, sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	if (backup->store->access == STORE_READ)
		(void)sqlite3_exec(
		    db, "PRAGMA query_only = ON", NULL, NULL, NULL);
	return status;
}

static bool
sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	bool is_done = fd >= 0 && fsync(fd) == 0;
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return is_done;
}

/* Uses rename only where the file system has no links, because rename would
 * replace a file that appeared meanwhile. */
static bool
give_name(const struct backup *backup)
{
	if (link(backup->part, backup->path) == 0)
		return unlink(backup->part) == 0;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return false;
	return rename(backup->part, backup->path) == 0;
}

/* Gives the file its name, once whole and on the disk. */
static enum store_status
finish(struct backup *backup)
{
	char *copy = xstrdup(backup->path);
	enum store_status status = STORE_OK;

	if (!sync_path(backup->part, 0))
		status = fail(backup, "sync", backup->part);
	else if (!give_name(backup))
		status = fail(backup, "make", backup->path);
	else if (!sync_path(dirname(copy), O_DIRECTORY) && errno != EINVAL)
		status = fail(backup, "sync the folder of", backup->path);
	free(copy);
	return status;
}

enum store_status
store_backup(struct store *store, const char *path,
    store_backup_progress progress, void *arg)
{
	struct backup backup = {.store = store,
	    .path = path,
	    .part = xasprintf("%s.part", path),
	    .progress = progress,
	    .arg = arg};
	int64_t wal_bytes = 0;
	enum store_status status =
	    store_read_size(store, &backup.total_bytes, &wal_bytes);

	backup.total_bytes -= wal_bytes;
	if (status == STORE_OK)
		status = make_part(&backup);
	if (status == STORE_OK) {
		status = copy_db(&backup);
		if (status == STORE_OK)
			status = finish(&backup);
		if (status != STORE_OK)
			unlink(backup.part);
	}
	free(backup.part);
	return status;
}
