/*
 * Tests whether the spool accepts a capture now, without making one: the same
 * files, locks and rows as a capture, and a rollback in place of the commit.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/event.h"

#define SYNC_TRIAL_NAME   "sync-trial"
#define COMMIT_ROOM_BYTES 65536 /* in the log, for a small event */

/* Inserts an event; the caller rolls back. */
static enum store_status
insert(struct store *store)
{
	static char type[] = "hookspool_trial";
	const struct event event = {.type = type};
	struct capture capture = {.received_at_ms = clock_wall_ms(),
	    .event = &event,
	    .body = "{}",
	    .body_bytes = 2};
	enum store_status status;

	uuid_make(capture.received_at_ms, capture.id);
	status = capture_insert(store, &capture);
	if (status == STORE_OK && capture.result != CAPTURE_STORED)
		return store_say(store, STORE_FAILED,
		    "%s/" DB_NAME " does not take an event", store->path);
	return status;
}

/* Checks what a rollback does not: room for a commit. */
static enum store_status
check_room(struct store *store)
{
	struct statvfs disk;

	if (fstatvfs(store->folder_fd, &disk) != 0 ||
	    (int64_t)(disk.f_bavail * disk.f_frsize) >= COMMIT_ROOM_BYTES)
		return STORE_OK;
	return store_say(
	    store, STORE_FULL, "the disk where %s is, is full", store->path);
}

/* Under the flock. */
static enum store_status
try_transaction(struct store *store, int64_t deadline_ms)
{
	enum store_status status = sql_exec(store, "PRAGMA query_only = OFF");

	if (status == STORE_OK)
		status = store_begin_locked(store, deadline_ms);
	if (status == STORE_OK) {
		status = store_check_limits(store);
		if (status == STORE_OK)
			status = check_room(store);
		if (status == STORE_OK)
			status = insert(store);
		store_rollback_locked(store);
	}
	/* A failure here has no consequence for the trial. */
	sqlite3_exec(store->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
	return status;
}

static enum store_status
say_errno(struct store *store, const char *doing, const char *name)
{
	return store_say(store, STORE_REFUSED, "could not %s %s%s%s: %s", doing,
	    store->path, *name != '\0' ? "/" : "", name, strerror(errno));
}

/* Opens for reading and writing, like a writer. */
static enum store_status
take_lock(struct store *store, int64_t wait_ms, int64_t deadline_ms, int *fd)
{
	int error;

	*fd = openat(
	    store->folder_fd, LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return say_errno(store, "open", LOCK_NAME);
	error = lock_take(*fd, deadline_ms);
	if (error == 0)
		return STORE_OK;
	close(*fd);
	if (error != EWOULDBLOCK) {
		errno = error;
		return say_errno(store, "lock", LOCK_NAME);
	}
	return store_say(store, STORE_BUSY,
	    "the write lock %s/" LOCK_NAME " was not free for %lld ms",
	    store->path, (long long)wait_ms);
}

enum store_status
store_try_capture(struct store *store, int64_t wait_ms)
{
	int64_t deadline_ms = clock_mono_ms() + wait_ms;
	enum store_status status;
	int fd = -1;

	if (sqlite3_db_readonly(store->db, "main") != 0)
		return store_say(store, STORE_REFUSED,
		    "%s may not be written to", store->files[FILE_DB].path);
	if (faccessat(AT_FDCWD, store->path, W_OK | X_OK, AT_EACCESS) != 0)
		return say_errno(store, "write to", "");
	status = take_lock(store, wait_ms, deadline_ms, &fd);
	if (status != STORE_OK)
		return status;
	status = try_transaction(store, deadline_ms);
	close(fd); /* and releases the lock */
	return status;
}

/* Creates a file without a name, or, if not supported, a file with a name that
 * is removed at once. Returns -1 with errno on failure. */
static int
make_file(struct store *store)
{
	int fd =
	    openat(store->folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	fd = openat(store->folder_fd, SYNC_TRIAL_NAME,
	    O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		unlinkat(store->folder_fd, SYNC_TRIAL_NAME, 0);
	return fd;
}

enum store_status
store_try_sync(struct store *store)
{
	static const char bytes[4096];
	enum store_status status = STORE_OK;
	int fd = make_file(store);

	if (fd < 0)
		return say_errno(store, "make a file in", "");
	if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes ||
	    fsync(fd) != 0 || fsync(store->folder_fd) != 0)
		status = say_errno(store, "write and sync a file in", "");
	close(fd);
	return status;
}

/* ---- damage ---- */

/* Called by SQLite from time to time; nonzero stops the check. */
static int
is_late(void *arg)
{
	const int64_t *until_ms = arg;

	return clock_mono_ms() >= *until_ms;
}

enum store_status
store_look_for_damage(struct store *store, int64_t for_ms)
{
	int64_t until_ms = clock_mono_ms() + for_ms;
	sqlite3_stmt *statement =
	    sql_prepare(store, "PRAGMA main.quick_check(1)");
	enum store_status status;
	const char *found;

	if (statement == NULL)
		return STORE_FAILED;
	sqlite3_progress_handler(store->db, 10000, is_late, &until_ms);
	status = sql_next(store, statement);
	sqlite3_progress_handler(store->db, 0, NULL, NULL);
	if (status != STORE_OK)
		return sqlite3_errcode(store->db) == SQLITE_INTERRUPT ? STORE_OK
								      : status;
	found = (const char *)sqlite3_column_text(statement, 0);
	if (found != NULL && strcmp(found, "ok") != 0)
		status = store_say(store, STORE_FAILED, "%s is damaged: %s",
		    store->files[FILE_DB].path, found);
	sqlite3_reset(statement);
	return status;
}
