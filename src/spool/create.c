/*
 * Creates a spool: the folder, the lock files, the empty database. Keeps
 * existing files. The database gets its name only once whole, so that a crash
 * never leaves an incomplete database that looks like a spool.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "spool/folder.h"
#include "wake/wake.h"

#define NEW_NAME "spool.db.new"

struct creation {
	const char *path;
	int folder_fd;
	uid_t owner;
	gid_t group;
	mode_t folder_mode;
	mode_t file_mode;
	struct buf *why;
};

static enum store_status
fail(struct creation *creation, const char *doing, const char *name)
{
	int error = errno;

	buf_clear(creation->why);
	buf_add_format(creation->why, "could not %s %s/%s: %s", doing,
	    creation->path, name, strerror(error));
	return error == ENOSPC ? STORE_FULL
	       : error == EACCES || error == EPERM || error == EROFS
		   ? STORE_REFUSED
		   : STORE_FAILED;
}

static bool
is_there(struct creation *creation, const char *name)
{
	return faccessat(
		   creation->folder_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Files allowed in a folder that becomes a spool: left by an interrupted
 * `init`, by a removed spool, or by a new file system. Not a spool.db-wal:
 * SQLite would take that file for the log of the new database. */
static bool
is_expected(const char *name)
{
	static const char *const names[] = {".", "..", "lost+found", LOCK_NAME,
	    RELAY_LOCK_NAME, WAKE_SOCKET_NAME, CONFIG_KEPT_NAME};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(name, NEW_NAME, strlen(NEW_NAME)) == 0;
}

/* Protects a folder with other contents from becoming a spool by mistake. */
static enum store_status
check_empty(struct creation *creation)
{
	enum store_status status = STORE_OK;
	struct dirent *entry;
	DIR *folder;
	int fd;

	fd = openat(creation->folder_fd, ".", O_RDONLY | O_DIRECTORY);
	folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (folder == NULL) {
		status = fail(creation, "read", "");
		if (fd >= 0)
			close(fd);
		return status;
	}
	while ((entry = readdir(folder)) != NULL)
		if (!is_expected(entry->d_name)) {
			buf_add_format(creation->why,
			    "%s is no spool and not empty (%s): choose an "
			    "empty or a new folder",
			    creation->path, entry->d_name);
			status = STORE_REFUSED;
			break;
		}
	closedir(folder);
	return status;
}

/* Sets owner and mode, whatever the umask. */
static bool
set_rights(struct creation *creation, int fd, mode_t mode)
{
	return (creation->owner == (uid_t)-1 && creation->group == (gid_t)-1
		       ? 0
		       : fchown(fd, creation->owner, creation->group)) == 0 &&
	       fchmod(fd, mode) == 0;
}

static enum store_status
open_folder(struct creation *creation)
{
	enum store_status status;

	if (mkdir(creation->path, creation->folder_mode & 0777) != 0 &&
	    errno != EEXIST)
		return fail(creation, "make", "");
	creation->folder_fd =
	    open(creation->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (creation->folder_fd < 0)
		return fail(creation, "open", "");
	status = folder_check_type(
	    creation->folder_fd, creation->path, creation->why);
	if (status != STORE_OK || is_there(creation, DB_NAME))
		return status;
	status = check_empty(creation);
	if (status != STORE_OK)
		return status;
	if (!set_rights(creation, creation->folder_fd, creation->folder_mode))
		return fail(creation, "set owner and mode of", "");
	return STORE_OK;
}

/* Creates an empty file with its rights, if missing. Returns a descriptor, or
 * -1. */
static int
make_file(struct creation *creation, const char *name)
{
	int fd, error;

	fd = openat(creation->folder_fd, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return openat(
		    creation->folder_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || set_rights(creation, fd, creation->file_mode))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void
remove_new(struct creation *creation)
{
	static const char *const names[] = {
	    NEW_NAME, NEW_NAME "-journal", NEW_NAME "-wal", NEW_NAME "-shm"};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		unlinkat(creation->folder_fd, names[i], 0);
}

/* Fills the database; once closed, the database has no other file. */
static enum store_status
fill_db(struct creation *creation, const char *path)
{
	sqlite3 *db = NULL;
	int code;

	code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	if (code == SQLITE_OK)
		code = schema_make(db);
	if (code == SQLITE_OK)
		code = sqlite3_exec(
		    db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		buf_add_format(creation->why, "could not make %s: %s", path,
		    sqlite3_errmsg(db));
	sqlite3_close(db);
	return code == SQLITE_OK              ? STORE_OK
	       : (code & 0xff) == SQLITE_FULL ? STORE_FULL
					      : STORE_FAILED;
}

/* Opens the database once to create its log and index with their modes, before
 * two users of a shared spool race to create these. */
static enum store_status
make_log(struct creation *creation)
{
	char *path = xasprintf("%s/" DB_NAME, creation->path);
	sqlite3 *db = NULL;
	int code = sql_connect(path, "FULL", READ_WAIT_MS, &db);

	if (code != SQLITE_OK)
		buf_add_format(creation->why, "could not open %s: %s", path,
		    sqlite3_errmsg(db));
	sqlite3_close(db);
	free(path);
	return code == SQLITE_OK ? STORE_OK : STORE_FAILED;
}

/* Under the lock. */
static enum store_status
make_db(struct creation *creation)
{
	enum store_status status;
	char *path;
	int fd;

	if (is_there(creation, DB_NAME))
		return STORE_OK;
	remove_new(creation);
	fd = make_file(creation, NEW_NAME);
	if (fd < 0)
		return fail(creation, "make", NEW_NAME);
	close(fd);
	path = xasprintf("%s/" NEW_NAME, creation->path);
	status = fill_db(creation, path);
	free(path);
	if (status == STORE_OK && renameat(creation->folder_fd, NEW_NAME,
				      creation->folder_fd, DB_NAME) != 0)
		status = fail(creation, "make", DB_NAME);
	if (status != STORE_OK) {
		remove_new(creation);
		return status;
	}
	return make_log(creation);
}

/* Syncs the folder and its entry in the parent. */
static enum store_status
sync_folders(struct creation *creation)
{
	enum store_status status = STORE_OK;
	int above;

	above = openat(
	    creation->folder_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A parent that this process may not read was created by another
	 * user. */
	if (fsync(creation->folder_fd) != 0 ||
	    (above >= 0 && fsync(above) != 0))
		status = fail(creation, "sync", "");
	if (above >= 0)
		close(above);
	return status;
}

static enum store_status
make_all(struct creation *creation)
{
	enum store_status status;
	int lock = -1, relay_lock = -1;

	status = open_folder(creation);
	if (status != STORE_OK)
		return status;
	lock = make_file(creation, LOCK_NAME);
	relay_lock = make_file(creation, RELAY_LOCK_NAME);
	if (lock < 0 || relay_lock < 0)
		status = fail(creation, "make the lock files of", "");
	else if (lock_take(lock, clock_mono_ms() + OPEN_WAIT_MS) != 0)
		status = fail(creation, "lock", LOCK_NAME);
	else
		status = make_db(creation);
	if (status == STORE_OK)
		status = sync_folders(creation);
	if (relay_lock >= 0)
		close(relay_lock);
	if (lock >= 0)
		close(lock);
	return status;
}

enum store_status
store_create(
    const char *path, uid_t owner, gid_t group, bool is_shared, struct buf *why)
{
	struct creation creation = {.path = path,
	    .folder_fd = -1,
	    .owner = owner,
	    .group = group,
	    .folder_mode = is_shared ? FOLDER_SHARED_MODE : FOLDER_MODE,
	    .file_mode = is_shared ? 0660 : 0600,
	    .why = why};
	enum store_status status;

	buf_clear(why);
	status = make_all(&creation);
	if (creation.folder_fd >= 0)
		close(creation.folder_fd);
	return status;
}
