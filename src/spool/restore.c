/*
 * Puts a copy of a spool in the place of the spool. The copy is first copied
 * into the folder and checked there, so exactly the checked file is put in
 * place. The old files get a second name before they lose their own. An
 * interruption leaves the old spool, the new one, or none and both under other
 * names: never a database beside the log of another.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "spool/folder.h"

#define NEW_NAME    "spool.db.restoring"
#define COPY_BYTES  (1 << 20)
#define STAMP_BYTES 32

struct restoring {
	struct store_restore *restore;
	int folder_fd;
	int relay_fd; /* the relay lock */
	int lock_fd;  /* the write lock */
	int new_fd;
	char stamp[STAMP_BYTES]; /* suffixes of the kept files */
	struct buf *why;
};

static enum store_status
fail(struct restoring *r, const char *doing, const char *name)
{
	int error = errno;

	buf_add_format(r->why, "could not %s %s/%s: %s", doing,
	    r->restore->path, name, strerror(error));
	return error == ENOSPC || error == EDQUOT ? STORE_FULL : STORE_REFUSED;
}

/* ---- no other process ---- */

static enum store_status
open_folder(struct restoring *r)
{
	const char *path = r->restore->path;
	enum store_status status = folder_open(path, &r->folder_fd, r->why);
	struct stat folder, db, copy;

	if (status != STORE_OK)
		return status;
	if (fstat(r->folder_fd, &folder) != 0 ||
	    fstat(r->restore->fd, &copy) != 0)
		return fail(r, "look at", "");
	if (folder.st_uid != geteuid()) {
		buf_add_format(r->why,
		    "%s belongs to the user with number %ld: run this as root "
		    "or as that user",
		    path, (long)folder.st_uid);
		return STORE_REFUSED;
	}
	if (fstatat(r->folder_fd, DB_NAME, &db, 0) == 0 &&
	    db.st_ino == copy.st_ino && db.st_dev == copy.st_dev) {
		buf_add_format(r->why,
		    "%s is the database of the spool itself, not a copy",
		    r->restore->from);
		return STORE_REFUSED;
	}
	return STORE_OK;
}

static enum store_status
say_relay(struct restoring *r)
{
	struct relay_holder relay;

	if (errno == ENOENT) {
		buf_add_format(r->why,
		    "there is no spool in %s: make an empty one with "
		    "`hookspool init`, then run this again",
		    r->restore->path);
		return STORE_MISSING;
	}
	if (errno != EWOULDBLOCK && errno != EALREADY)
		return fail(r, "lock", RELAY_LOCK_NAME);
	store_read_relay(r->restore->path, &relay);
	buf_add_format(r->why,
	    "a relay uses the spool (pid %lld): end it with `systemctl stop "
	    "hookspool-relay`, or with `hookspool stop` where it was started "
	    "on demand",
	    (long long)relay.pid);
	return STORE_BUSY;
}

/* A process that opens the spool for writing meanwhile waits for the write
 * lock, and finds the new database. */
static enum store_status
lock_all(struct restoring *r)
{
	r->relay_fd = store_lock_relay(r->restore->path, 0, "restore");
	if (r->relay_fd < 0)
		return say_relay(r);
	r->lock_fd =
	    openat(r->folder_fd, LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (r->lock_fd < 0)
		return fail(r, "open", LOCK_NAME);
	errno = lock_take(r->lock_fd, clock_mono_ms() + OPEN_WAIT_MS);
	if (errno == 0 && lock_byte(r->lock_fd, WRITERS_BYTE, F_WRLCK))
		return STORE_OK;
	buf_add_format(r->why,
	    "the endpoint or another program uses the spool %s: stop the web "
	    "server, or hookspool-endpoint.socket and "
	    "hookspool-endpoint.service, and run this again",
	    r->restore->path);
	return STORE_BUSY;
}

/* ---- the copy in the folder ---- */

static void
remove_new(struct restoring *r)
{
	static const char *const names[] = {
	    NEW_NAME, NEW_NAME "-journal", NEW_NAME "-wal", NEW_NAME "-shm"};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		unlinkat(r->folder_fd, names[i], 0);
}

/* Returns the mode of the existing database, or a mode that suits the
 * folder. */
static mode_t
file_mode(const struct restoring *r)
{
	struct stat st;

	if (fstatat(r->folder_fd, DB_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode))
		return st.st_mode & 0660;
	if (fstat(r->folder_fd, &st) == 0 &&
	    (st.st_mode & FOLDER_SHARED_MODE) == FOLDER_SHARED_MODE)
		return 0660;
	return 0600;
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, bytes, len);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return false;
		bytes += wrote;
		len -= (size_t)wrote;
	}
	return true;
}

static enum store_status
copy_bytes(struct restoring *r, int from, int to, const char *name)
{
	const struct store_restore *restore = r->restore;
	char *bytes = xmalloc(COPY_BYTES);
	enum store_status status = STORE_OK;
	struct stat st = {0};
	int64_t copied = 0;
	ssize_t got;

	(void)fstat(from, &st);
	while (status == STORE_OK &&
	       (got = pread(from, bytes, COPY_BYTES, copied)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			buf_add_format(r->why, "could not read %s: %s",
			    restore->from, strerror(errno));
			status = STORE_REFUSED;
		} else if (!write_all(to, bytes, (size_t)got)) {
			status = fail(r, "write", name);
		} else if (restore->progress != NULL &&
			   !restore->progress(
			       restore->arg, copied, (int64_t)st.st_size)) {
			buf_add_text(r->why, "the copying was stopped");
			status = STORE_REFUSED;
		}
		copied += got;
	}
	free(bytes);
	return status;
}

/* Creates a new file with these bytes; its descriptor in `fd`. */
static enum store_status
copy_file(struct restoring *r, int from, const char *name, int *fd)
{
	*fd = openat(r->folder_fd, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0 || fchmod(*fd, file_mode(r)) != 0)
		return fail(r, "make", name);
	return copy_bytes(r, from, *fd, name);
}

static enum store_status
copy_all(struct restoring *r)
{
	enum store_status status;
	int wal = -1;

	remove_new(r);
	status = copy_file(r, r->restore->fd, NEW_NAME, &r->new_fd);
	if (status == STORE_OK && r->restore->wal_fd >= 0)
		status =
		    copy_file(r, r->restore->wal_fd, NEW_NAME "-wal", &wal);
	if (wal >= 0)
		close(wal);
	return status;
}

/* ---- is it a whole spool ---- */

static enum store_status
refuse(struct restoring *r, const char *what)
{
	buf_add_format(r->why, "%s %s: the spool was left as it is",
	    r->restore->from, what);
	return STORE_REFUSED;
}

/* Read the first column of the first row, as a number and as text. */
static bool
ask(sqlite3 *db, const char *sql, int64_t *number, char **text)
{
	sqlite3_stmt *statement = NULL;
	bool is_answered;

	*text = NULL;
	is_answered =
	    sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW;
	if (is_answered) {
		*number = sqlite3_column_int64(statement, 0);
		*text = sql_text_dup(statement, 0);
	}
	sqlite3_finalize(statement);
	return is_answered;
}

/* Returns the number; -1 without an answer. */
static int64_t
ask_number(sqlite3 *db, const char *sql)
{
	int64_t number = -1;
	char *text;

	if (!ask(db, sql, &number, &text))
		number = -1;
	free(text);
	return number;
}

static bool
ask_is(sqlite3 *db, const char *sql, const char *wanted)
{
	int64_t number;
	char *text;
	bool is_so = ask(db, sql, &number, &text) && text != NULL &&
		     strcmp(text, wanted) == 0;

	free(text);
	return is_so;
}

/* Moves the log, if any, into the database; a log of another database makes
 * this one damaged. */
static enum store_status
judge_db(struct restoring *r, sqlite3 *db)
{
	bool is_plain = ask_is(db, "PRAGMA journal_mode = DELETE", "delete");
	int64_t id = ask_number(db, "PRAGMA application_id");
	int64_t version = ask_number(db, "PRAGMA user_version");
	char *what;

	if (id == -1 || !is_plain)
		return refuse(r, "is not a complete database");
	if (id != SCHEMA_APPLICATION_ID || version < 1)
		return refuse(r, "is not a spool of hookspool");
	if (version > SCHEMA_VERSION) {
		what = xasprintf("was made by a later hookspool (schema %d, "
				 "this one knows %d)",
		    (int)version, SCHEMA_VERSION);
		refuse(r, what);
		free(what);
		return STORE_TOO_NEW;
	}
	if (!ask_is(db, "PRAGMA integrity_check(1)", "ok"))
		return refuse(r, "is damaged");
	r->restore->schema_version = (int)version;
	r->restore->events = ask_number(db, "SELECT count(*) FROM events");
	if (!ask_is(db, "PRAGMA journal_mode = WAL", "wal"))
		return refuse(r, "cannot be used with a write-ahead log");
	return STORE_OK;
}

/* Once closed, the database has nothing in any other file. */
static enum store_status
judge(struct restoring *r)
{
	char *path = xasprintf("%s/" NEW_NAME, r->restore->path);
	enum store_status status;
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK) {
		sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		status = judge_db(r, db);
	} else {
		status = refuse(r, "cannot be opened");
	}
	sqlite3_close(db);
	free(path);
	if (status == STORE_OK && fsync(r->new_fd) != 0)
		status = fail(r, "sync", NEW_NAME);
	return status;
}

/* ---- the change ---- */

static void
make_stamp(struct restoring *r)
{
	int64_t now_ms = clock_wall_ms();
	time_t now = (time_t)(now_ms / 1000);
	char text[STAMP_BYTES / 2];
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(text, sizeof text, "%Y%m%dT%H%M%S", &utc);
	snprintf(
	    r->stamp, sizeof r->stamp, "%s.%03dZ", text, (int)(now_ms % 1000));
}

/* Gives the old files a second name: spool.db.STAMP and spool.db.STAMP-wal. */
static enum store_status
keep(struct restoring *r)
{
	char *db = xasprintf(DB_NAME ".%s", r->stamp);
	char *wal = xasprintf(DB_NAME ".%s-wal", r->stamp);
	enum store_status status = STORE_OK;

	if (linkat(r->folder_fd, DB_NAME, r->folder_fd, db, 0) == 0)
		r->restore->kept = xasprintf("%s/%s", r->restore->path, db);
	else if (errno != ENOENT)
		status = fail(r, "keep what is there as", db);
	if (status == STORE_OK &&
	    linkat(r->folder_fd, WAL_NAME, r->folder_fd, wal, 0) != 0 &&
	    errno != ENOENT) {
		status = fail(r, "keep what is there as", wal);
		unlinkat(r->folder_fd, db, 0);
	}
	if (status == STORE_OK && fsync(r->folder_fd) != 0)
		status = fail(r, "sync", "");
	free(wal);
	free(db);
	return status;
}

/* Removes the database first: without a database there is no spool, so no
 * process uses the rest. */
static enum store_status
exchange(struct restoring *r)
{
	static const char *const old[] = {
	    DB_NAME, WAL_NAME, SHM_NAME, MARK_NAME};
	size_t i;

	for (i = 0; i < sizeof old / sizeof *old; i++)
		if (unlinkat(r->folder_fd, old[i], 0) != 0 && errno != ENOENT)
			return fail(r, "remove", old[i]);
	if (fsync(r->folder_fd) != 0)
		return fail(r, "sync", "");
	if (renameat(r->folder_fd, NEW_NAME, r->folder_fd, DB_NAME) != 0)
		return fail(r, "make", DB_NAME);
	if (fsync(r->folder_fd) != 0)
		return fail(r, "sync", "");
	return STORE_OK;
}

static enum store_status
put_in_place(struct restoring *r)
{
	enum store_status status;

	status = copy_all(r);
	if (status == STORE_OK)
		status = judge(r);
	if (status == STORE_OK)
		status = keep(r);
	if (status == STORE_OK)
		return exchange(r);
	remove_new(r);
	return status;
}

enum store_status
store_restore(struct store_restore *restore, struct buf *why)
{
	struct restoring r = {.restore = restore,
	    .folder_fd = -1,
	    .relay_fd = -1,
	    .lock_fd = -1,
	    .new_fd = -1,
	    .why = why};
	enum store_status status;

	buf_clear(why);
	restore->kept = NULL;
	make_stamp(&r);
	status = open_folder(&r);
	if (status == STORE_OK)
		status = lock_all(&r);
	if (status == STORE_OK)
		status = put_in_place(&r);
	if (r.new_fd >= 0)
		close(r.new_fd);
	if (r.lock_fd >= 0)
		close(r.lock_fd);
	if (r.relay_fd >= 0)
		close(r.relay_fd);
	if (r.folder_fd >= 0)
		close(r.folder_fd);
	return status;
}
