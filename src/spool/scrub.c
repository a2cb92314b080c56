/*
 * The end of an erasure: no erased byte is left in the files. First the log is
 * emptied into the database. Then pages with remains in unused bytes (page.h)
 * are searched for without the lock, and overwritten under the lock, some at a
 * time, in the file itself, past SQLite, which offers no other way. Ensures
 * that this harms no process: 1. this process holds the write lock and SQLite's
 * own, and the log is empty, so that nobody else writes to the file; 2. used
 * bytes are written unchanged, so that concurrent readers find them, also after
 * a loss of power; 3. no page cached before is used to write from: ours are
 * released, and a second TRUNCATE changes the header of the log, which tells
 * every other connection that its pages are old.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "spool/page.h"

#define HEADER_BYTES   100
#define STEP_MAX_PAGES 256
#define LOCKED_AT      0x40000000 /* the page at this byte is never used */
#define PAGES_MAX      (1 << 25)  /* beyond, kinds cannot be told apart */

struct scrub {
	struct store *store;
	int64_t wait_ms;
	int64_t deadline_ms; /* of this step */
	sqlite3_file *file;  /* SQLite's own: never opened or closed here */
	size_t page_bytes;
	size_t usable;
	uint32_t count; /* of pages */
	uint8_t *uses;  /* enum page_use of each page, by number - 1 */
	uint8_t *page;  /* one page */
	uint32_t dirty[STEP_MAX_PAGES];
	size_t dirty_count;
};

static enum store_status
read_at(struct scrub *scrub, void *out, size_t len, int64_t offset)
{
	int code =
	    scrub->file->pMethods->xRead(scrub->file, out, (int)len, offset);

	/* Beyond the end: zeros. */
	if (code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ)
		return STORE_OK;
	return store_fail(scrub->store, code, "look through");
}

static int64_t
offset_of(const struct scrub *scrub, uint32_t number)
{
	return (int64_t)(number - 1) * (int64_t)scrub->page_bytes;
}

static enum store_status
read_page(struct scrub *scrub, uint32_t number)
{
	return read_at(
	    scrub, scrub->page, scrub->page_bytes, offset_of(scrub, number));
}

/* ---- which pages are free ---- */

static enum store_status
read_header(struct scrub *scrub, uint32_t *first_trunk)
{
	uint8_t header[HEADER_BYTES];
	enum store_status status = read_at(scrub, header, sizeof header, 0);

	if (status != STORE_OK)
		return status;
	scrub->page_bytes = (size_t)scrub->store->page_bytes;
	scrub->usable = scrub->page_bytes - header[20];
	scrub->count = page_get4(header + 28);
	*first_trunk = page_get4(header + 32);
	/* More kinds of pages, with auto_vacuum: never made by us. */
	if (page_get4(header + 52) != 0 || scrub->count >= PAGES_MAX)
		return store_say(scrub->store, STORE_BUSY,
		    "%s/" DB_NAME " is not of a kind that can be looked "
		    "through: VACUUM it",
		    scrub->store->path);
	return STORE_OK;
}

static void
note_free(struct scrub *scrub)
{
	uint32_t leaves = page_get4(scrub->page + 4), i, leaf;

	for (i = 0; i < leaves && 8 + 4 * (size_t)(i + 1) <= scrub->usable;
	     i++) {
		leaf = page_get4(scrub->page + 8 + 4 * (size_t)i);
		if (leaf >= 1 && leaf <= scrub->count)
			scrub->uses[leaf - 1] = PAGE_FREE;
	}
}

/* Also without the lock: a wrong reading is checked again under the lock. */
static enum store_status
read_uses(struct scrub *scrub)
{
	uint32_t trunk = 0, steps;
	enum store_status status = read_header(scrub, &trunk);

	if (status != STORE_OK)
		return status;
	free(scrub->uses);
	free(scrub->page);
	scrub->uses = xcalloc((size_t)scrub->count + 1, 1);
	scrub->page = xmalloc(scrub->page_bytes);
	for (steps = 0; trunk >= 1 && trunk <= scrub->count &&
			steps < scrub->count && status == STORE_OK;
	     steps++) {
		scrub->uses[trunk - 1] = PAGE_TRUNK;
		status = read_page(scrub, trunk);
		note_free(scrub);
		trunk = page_get4(scrub->page);
	}
	return status;
}

/* ---- one page ---- */

/* Reads the page and clears its unused bytes, in memory. */
static enum store_status
judge(struct scrub *scrub, uint32_t number, bool *is_dirty)
{
	enum store_status status = STORE_OK;

	*is_dirty = false;
	if (number < 2 || number > scrub->count ||
	    offset_of(scrub, number) == LOCKED_AT)
		return STORE_OK;
	status = read_page(scrub, number);
	if (status == STORE_OK)
		*is_dirty = page_scrub(scrub->page, scrub->usable,
		    (enum page_use)scrub->uses[number - 1]);
	return status;
}

static enum store_status
overwrite(struct scrub *scrub, uint32_t number)
{
	bool is_dirty = false;
	enum store_status status = judge(scrub, number, &is_dirty);
	int code;

	if (status != STORE_OK || !is_dirty)
		return status;
	code = scrub->file->pMethods->xWrite(scrub->file, scrub->page,
	    (int)scrub->page_bytes, offset_of(scrub, number));
	return code == SQLITE_OK
		   ? STORE_OK
		   : store_fail(scrub->store, code, "overwrite parts of");
}

/* ---- some pages, under the lock ---- */

/* Returns whether nothing was written since the log was emptied. */
static bool
is_log_empty(struct store *store)
{
	struct stat log;

	return fstatat(store->folder_fd, WAL_NAME, &log, 0) == 0 &&
	       log.st_size == 0;
}

static enum store_status
overwrite_all(struct scrub *scrub)
{
	enum store_status status = read_uses(scrub);
	size_t i;
	int code;

	for (i = 0; i < scrub->dirty_count && status == STORE_OK; i++)
		status = overwrite(scrub, scrub->dirty[i]);
	if (status != STORE_OK)
		return status;
	code = scrub->file->pMethods->xSync(scrub->file, SQLITE_SYNC_FULL);
	return code == SQLITE_OK ? STORE_OK
				 : store_fail(scrub->store, code, "sync");
}

static enum store_status
overwrite_locked(struct scrub *scrub)
{
	struct store *store = scrub->store;
	enum store_status status = checkpoint_once(store);

	if (status == STORE_OK)
		status = store_begin_locked(store, scrub->deadline_ms);
	if (status != STORE_OK)
		return status;
	if (!is_log_empty(store))
		status = store_say(store, STORE_BUSY,
		    "somebody writes to %s/" DB_NAME " without the lock",
		    store->path);
	else
		status = overwrite_all(scrub);
	store_rollback_locked(store);
	sqlite3_db_release_memory(store->db);
	return status == STORE_OK ? checkpoint_once(store) : status;
}

/* Repeats until no reader or writer is in the way, or the time is up. */
static enum store_status
overwrite_some(struct scrub *scrub)
{
	enum store_status status;

	scrub->deadline_ms = clock_mono_ms() + scrub->wait_ms;
	for (;;) {
		status = store_lock_write(scrub->store, scrub->deadline_ms);
		if (status != STORE_OK)
			return status;
		status = overwrite_locked(scrub);
		store_unlock_write(scrub->store);
		if (status != STORE_BUSY ||
		    clock_mono_ms() >= scrub->deadline_ms)
			return status;
		poll(NULL, 0, CHECKPOINT_RETRY_MS);
	}
}

/* ---- all pages ---- */

/* Searches on from `*number`, until there is enough work for one step. */
static enum store_status
find_dirty(struct scrub *scrub, uint32_t *number)
{
	enum store_status status = read_uses(scrub);
	bool is_dirty = false;

	scrub->dirty_count = 0;
	for (; status == STORE_OK && *number <= scrub->count &&
	       scrub->dirty_count < STEP_MAX_PAGES;
	     ++*number) {
		status = judge(scrub, *number, &is_dirty);
		if (is_dirty)
			scrub->dirty[scrub->dirty_count++] = *number;
	}
	return status;
}

enum store_status
scrub_files(struct store *store, int64_t wait_ms)
{
	struct scrub scrub = {.store = store, .wait_ms = wait_ms};
	enum store_status status =
	    store_checkpoint(store, clock_mono_ms() + wait_ms);
	uint32_t number = 2;

	if (status == STORE_OK &&
	    sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER,
		&scrub.file) != SQLITE_OK)
		status = store_say(store, STORE_FAILED,
		    "could not look through %s/" DB_NAME, store->path);
	do {
		if (status == STORE_OK)
			status = find_dirty(&scrub, &number);
		if (status == STORE_OK && scrub.dirty_count > 0)
			status = overwrite_some(&scrub);
	} while (status == STORE_OK && number <= scrub.count);
	free(scrub.uses);
	free(scrub.page);
	return status;
}
