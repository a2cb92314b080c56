/*
 * Checkpoints, and the repair after a failed sync. After a failed sync Linux
 * marks the pages clean: a second sync would succeed and mean nothing. SQLite's
 * recovery adopts such frames of the WAL; later commits are chained after them
 * and synced; a power cut then leaves a hole below all later commits. Only a
 * checkpoint, which writes the pages anew into the database and empties the
 * WAL, repairs this. So the process that sees a sync fail leaves a mark
 * (mark.c), and no process commits while the mark exists.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"

#define CHECKPOINT_MAX_STEP 1600

#define WAL_INDEX_BYTES    32768 /* its first part */
#define WAL_INDEX_BACKFILL 24    /* the number at byte 96 */

enum store_status
checkpoint_once(struct store *store)
{
	enum store_status status = STORE_OK;
	int code;

	sqlite3_busy_timeout(store->db, 0);
	code = sqlite3_wal_checkpoint_v2(
	    store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (code != SQLITE_OK)
		status = store_fail(store, code, "make a checkpoint of");
	sqlite3_busy_timeout(store->db, READ_WAIT_MS);
	if (status == STORE_OK) {
		store->wal_frames = 0;
		store->checkpoint_step = CHECKPOINT_FRAMES;
		store->checkpoint_at = CHECKPOINT_FRAMES;
	}
	return status;
}

/* Makes the next checkpoint begin with the first frame of the WAL. A checkpoint
 * that a reader stopped half way has noted its progress, but has not synced;
 * the pages it wrote may be those lost. The note is a number in the WAL's index
 * (nBackfill, 2.1 of sqlite.org/walformat.html), guarded by the write lock;
 * writing the same pages again harms no reader. */
static void
forget_backfill(struct store *store)
{
	sqlite3_file *file = NULL;
	volatile void *index = NULL;

	if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER,
		&file) != SQLITE_OK ||
	    file->pMethods == NULL || file->pMethods->iVersion < 2 ||
	    file->pMethods->xShmMap(file, 0, WAL_INDEX_BYTES, 0, &index) !=
		SQLITE_OK ||
	    index == NULL)
		return;
	((volatile uint32_t *)index)[WAL_INDEX_BACKFILL] = 0;
}

static int
count_frames(void *arg, sqlite3 *db, const char *name, int frames)
{
	struct store *store = arg;

	(void)db;
	(void)name;
	store->wal_frames = frames;
	return SQLITE_OK;
}

void
checkpoint_follow(struct store *store, sqlite3 *db)
{
	sqlite3_wal_hook(db, count_frames, store);
}

bool
checkpoint_is_due(const struct store *store)
{
	return !store->is_broken && store->wal_frames >= store->checkpoint_at;
}

void
checkpoint_try(struct store *store)
{
	if (checkpoint_once(store) == STORE_OK)
		return;
	/* A reader blocks, or the disk is full: later. */
	if (store->checkpoint_step < CHECKPOINT_MAX_STEP)
		store->checkpoint_step *= 2;
	store->checkpoint_at = store->wal_frames + store->checkpoint_step;
}

enum store_status
recover_mend(struct store *store, int64_t deadline_ms)
{
	enum store_status status;

	if (!mark_is_left(store))
		return STORE_OK;
	forget_backfill(store);
	/* Keeps the lock meanwhile: no other process may commit either. */
	while ((status = checkpoint_once(store)) == STORE_BUSY &&
	       clock_mono_ms() < deadline_ms)
		poll(NULL, 0, CHECKPOINT_RETRY_MS);
	if (status != STORE_OK || mark_remove(store))
		return status;
	return store_say(store, STORE_FAILED, "could not remove %s/%s: %s",
	    store->path, MARK_NAME, strerror(errno));
}

enum store_status
recover_first(struct store *store)
{
	enum store_status status = STORE_OK;

	if (lock_byte(store->lock_fd, WRITERS_BYTE, F_WRLCK))
		status = checkpoint_once(store);
	if (status == STORE_FAILED)
		return status;
	/* A blocking reader or a full disk does not prevent going on. */
	if (lock_byte(store->lock_fd, WRITERS_BYTE, F_RDLCK))
		return STORE_OK;
	return store_say(store, STORE_FAILED, "could not lock %s/%s: %s",
	    store->path, LOCK_NAME, strerror(errno));
}
