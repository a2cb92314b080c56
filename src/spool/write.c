/*
 * The only way to write: a thread's turn, flock, repair after a failed sync,
 * BEGIN IMMEDIATE, the statements, COMMIT, a check of the files, a checkpoint,
 * and the release of the locks. Knows no table.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>

#include "base/clock.h"

#define FINISH_WAIT_MS 100 /* another holder of the lock makes checkpoints */

/* Limits how long SQLite waits for a process that takes none of our locks, such
 * as an administrator's sqlite3. */
static void
set_busy_timeout(struct store *store, int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - clock_mono_ms();

	sqlite3_busy_timeout(store->db, left_ms < 0         ? 0
					: left_ms > INT_MAX ? INT_MAX
							    : (int)left_ms);
}

/* Returns false if the turn was not free in time. */
static bool
take_turn(struct store *store, int64_t deadline_ms)
{
	bool is_mine;

	pthread_mutex_lock(&store->mutex);
	while (store->is_locked)
		if (!lock_await(&store->is_free, &store->mutex, deadline_ms))
			break;
	is_mine = !store->is_locked;
	store->is_locked = true;
	pthread_mutex_unlock(&store->mutex);
	return is_mine;
}

static void
give_turn(struct store *store)
{
	pthread_mutex_lock(&store->mutex);
	assert(store->is_locked);
	store->is_locked = false;
	pthread_cond_signal(&store->is_free);
	pthread_mutex_unlock(&store->mutex);
}

enum store_status
store_lock_file(struct store *store, int64_t deadline_ms)
{
	int error = lock_take(store->lock_fd, deadline_ms);

	if (error == 0)
		return STORE_OK;
	return store_say(store, STORE_BUSY,
	    "%s/" LOCK_NAME " is held by another process: %s", store->path,
	    strerror(error));
}

enum store_status
store_lock_write(struct store *store, int64_t deadline_ms)
{
	enum store_status status = STORE_FAILED;

	assert(store->lock_fd >= 0);
	if (!take_turn(store, deadline_ms))
		return STORE_BUSY; /* `why` belongs to the holder of the turn */
	if (!store->is_broken)
		status = store_lock_file(store, deadline_ms);
	if (status != STORE_OK) {
		give_turn(store);
		return status;
	}
	status = recover_mend(store, deadline_ms);
	if (status != STORE_OK)
		store_unlock_write(store);
	return status;
}

void
store_unlock_write(struct store *store)
{
	flock(store->lock_fd, LOCK_UN);
	give_turn(store);
}

enum store_status
store_begin_locked(struct store *store, int64_t deadline_ms)
{
	enum store_status status;

	set_busy_timeout(store, deadline_ms);
	status = sql_run(store, sql_prepare(store, "BEGIN IMMEDIATE"));
	sqlite3_busy_timeout(store->db, READ_WAIT_MS);
	return status;
}

void
store_rollback_locked(struct store *store)
{
	/* Some failures have already undone the transaction. The result of
	 * ROLLBACK is of no use: `why` has the reason for rolling back. */
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

enum store_status
store_commit_locked(struct store *store)
{
	enum store_status status;

	status = sql_run(store, sql_prepare(store, "COMMIT"));
	if (status != STORE_OK) {
		store_rollback_locked(store);
		return status;
	}
	store->commits++;
	return store_check_files(store);
}

enum store_status
store_begin(struct store *store, int64_t deadline_ms)
{
	enum store_status status = store_lock_write(store, deadline_ms);

	if (status != STORE_OK)
		return status;
	status = store_begin_locked(store, deadline_ms);
	if (status != STORE_OK)
		store_unlock_write(store);
	return status;
}

enum store_status
store_commit(struct store *store)
{
	enum store_status status = store_commit_locked(store);

	if (status == STORE_OK && checkpoint_is_due(store))
		checkpoint_try(store);
	store_unlock_write(store);
	return status;
}

void
store_rollback(struct store *store)
{
	store_rollback_locked(store);
	store_unlock_write(store);
}

/* ---- checkpoints without a write ---- */

enum store_status
store_checkpoint(struct store *store, int64_t deadline_ms)
{
	enum store_status status;

	for (;;) {
		status = store_lock_write(store, deadline_ms);
		if (status != STORE_OK)
			return status;
		status = checkpoint_once(store);
		store_unlock_write(store);
		if (status != STORE_BUSY || clock_mono_ms() >= deadline_ms)
			return status;
		poll(NULL, 0, CHECKPOINT_RETRY_MS);
	}
}

void
store_finish(struct store *store)
{
	bool is_alone;

	if (store_lock_write(store, clock_mono_ms() + FINISH_WAIT_MS) !=
	    STORE_OK)
		return;
	is_alone = lock_byte(store->lock_fd, WRITERS_BYTE, F_WRLCK);
	if (checkpoint_is_due(store) || (is_alone && store->wal_frames > 0))
		checkpoint_try(store);
	if (is_alone)
		lock_byte(store->lock_fd, WRITERS_BYTE, F_RDLCK);
	store_unlock_write(store);
}

/* ---- limits and files ---- */

int64_t
store_deadline(const struct store *store)
{
	return clock_mono_ms() + store->write_wait_ms;
}

static bool
is_same_file(const struct store_file *file)
{
	struct stat now;

	return file->inode == 0 ||
	       (stat(file->path, &now) == 0 && now.st_dev == file->device &&
		   now.st_ino == file->inode);
}

enum store_status
store_check_files(struct store *store)
{
	size_t i;

	for (i = 0; i < FILE_COUNT; i++)
		if (!is_same_file(&store->files[i])) {
			store->is_broken = true;
			return store_say(store, STORE_FAILED,
			    "%s was removed or replaced while it was open: "
			    "what was stored last may be gone",
			    store->files[i].path);
		}
	return STORE_OK;
}

enum store_status
store_read_size(struct store *store, int64_t *size_bytes, int64_t *wal_bytes)
{
	int64_t pages = 0, free_pages = 0;
	enum store_status status;
	struct stat wal;

	status = sql_read_int64(store, "PRAGMA page_count", &pages);
	if (status == STORE_OK)
		status =
		    sql_read_int64(store, "PRAGMA freelist_count", &free_pages);
	if (status != STORE_OK)
		return status;
	*wal_bytes =
	    fstatat(store->folder_fd, WAL_NAME, &wal, 0) == 0 ? wal.st_size : 0;
	*size_bytes = (pages - free_pages) * store->page_bytes + *wal_bytes;
	return STORE_OK;
}

enum store_status
store_check_free(struct store *store)
{
	int64_t min_free = store->min_free_bytes;
	struct statvfs disk;

	if (fstatvfs(store->folder_fd, &disk) == 0 &&
	    (int64_t)(disk.f_bavail * disk.f_frsize) < min_free)
		return store_say(store, STORE_FULL,
		    "less than min_free (%lld bytes) is free where %s is",
		    (long long)min_free, store->path);
	return STORE_OK;
}

enum store_status
store_check_limits(struct store *store)
{
	int64_t max_size = store->max_size_bytes;
	int64_t size = 0, wal = 0;
	enum store_status status;

	status = store_check_free(store);
	if (status != STORE_OK || max_size == 0)
		return status;
	status = store_read_size(store, &size, &wal);
	if (status == STORE_OK && size > max_size)
		return store_say(store, STORE_FULL,
		    "the spool %s has reached max_size (%lld bytes)",
		    store->path, (long long)max_size);
	return status;
}
