/*
 * Opens and closes the spool. Checks, in this order: the folder, the files, the
 * connection's own settings, the schema. Writes nothing before all checks pass.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "spool/access.h"
#include "spool/folder.h"

/* For processes that change deliveries: holds the pages of a thousand lanes.
 * Negative: in KiB. */
#define CACHE_KIB "-16384"

static const char *const file_names[FILE_COUNT] = {[FILE_DB] = DB_NAME,
    [FILE_LOCK] = LOCK_NAME,
    [FILE_WAL] = WAL_NAME,
    [FILE_SHM] = SHM_NAME};

static struct store *
store_new(const struct store_options *options)
{
	struct store *store = xcalloc(1, sizeof *store);
	size_t i;

	store->path = xstrdup(options->path);
	for (i = 0; i < FILE_COUNT; i++)
		store->files[i].path =
		    xasprintf("%s/%s", options->path, file_names[i]);
	store->access = options->access;
	store->write_wait_ms =
	    options->write_wait_ms > 0 ? options->write_wait_ms : WRITE_WAIT_MS;
	store->open_by_ms = options->open_by_ms > 0
				? options->open_by_ms
				: clock_mono_ms() + OPEN_WAIT_MS;
	store->is_for_one = options->is_for_one;
	store->checkpoint_at = CHECKPOINT_FRAMES;
	store->checkpoint_step = CHECKPOINT_FRAMES;
	store->folder_fd = -1;
	store->lock_fd = -1;
	buf_init(&store->why, WHY_MAX_BYTES);
	store_set_limits(
	    store, options->min_free_bytes, options->max_size_bytes);
	pthread_mutex_init(&store->mutex, NULL);
	pthread_cond_init(&store->is_free, NULL);
	pthread_mutex_init(&store->queue.mutex, NULL);
	pthread_mutex_init(&store->refusing.mutex, NULL);
	return store;
}

void
store_close(struct store *store)
{
	size_t i;

	if (store == NULL)
		return;
	for (i = 0; i < store->statement_count; i++)
		sqlite3_finalize(store->statements[i].handle);
	sqlite3_close(store->db);
	refuse_close(&store->refusing);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	if (store->folder_fd >= 0)
		close(store->folder_fd);
	pthread_mutex_destroy(&store->refusing.mutex);
	pthread_mutex_destroy(&store->queue.mutex);
	pthread_cond_destroy(&store->is_free);
	pthread_mutex_destroy(&store->mutex);
	buf_free(&store->why);
	for (i = 0; i < FILE_COUNT; i++)
		free(store->files[i].path);
	free(store->path);
	free(store);
}

static void
note_file(struct store_file *file, const struct stat *found)
{
	file->device = found->st_dev;
	file->inode = found->st_ino;
}

static enum store_status
find_db(struct store *store)
{
	struct stat db;

	if (fstatat(store->folder_fd, DB_NAME, &db, AT_SYMLINK_NOFOLLOW) != 0)
		return store_say(store,
		    errno == ENOENT ? STORE_MISSING : STORE_FAILED,
		    "there is no spool in %s (%s): if a file system belongs "
		    "there, mount it; else make one with `hookspool init`",
		    store->path, strerror(errno));
	if (!S_ISREG(db.st_mode))
		return store_say(store, STORE_REFUSED, "%s is not a plain file",
		    store->files[FILE_DB].path);
	note_file(&store->files[FILE_DB], &db);
	return STORE_OK;
}

static enum store_status
open_lock(struct store *store)
{
	struct stat lock;

	if (store->access == STORE_READ)
		return STORE_OK;
	store->lock_fd = openat(
	    store->folder_fd, LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (store->lock_fd < 0 || fstat(store->lock_fd, &lock) != 0)
		return store_say(store,
		    errno == ENOENT   ? STORE_MISSING
		    : errno == EACCES ? STORE_REFUSED
				      : STORE_FAILED,
		    "could not open %s (%s): `hookspool init` makes what is "
		    "missing",
		    store->files[FILE_LOCK].path, strerror(errno));
	note_file(&store->files[FILE_LOCK], &lock);
	return STORE_OK;
}

static enum store_status
say_not_ours(struct store *store)
{
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	access_say(store->path, &why);
	store_say(store, STORE_REFUSED, "%s may not be read and written: %s",
	    store->files[FILE_DB].path, buf_text(&why));
	buf_free(&why);
	return STORE_REFUSED;
}

/* Returns how long the opening may still wait. */
static int
wait_left_ms(const struct store *store)
{
	int64_t left_ms = store->open_by_ms - clock_mono_ms();

	return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

static enum store_status
connect_db(struct store *store)
{
	int64_t synchronous = 0;
	enum store_status status;
	int code;

	code = sql_connect(store->files[FILE_DB].path, "FULL",
	    wait_left_ms(store), &store->db);
	if (code == SQLITE_NOTADB)
		return store_say(store, STORE_REFUSED,
		    "%s is not a spool of hookspool, nor any database",
		    store->files[FILE_DB].path);
	if (code == SQLITE_CANTOPEN &&
	    sqlite3_system_errno(store->db) == EACCES)
		return say_not_ours(store);
	if (code != SQLITE_OK)
		return store_fail(store, code, "open");
	status = sql_read_int64(store, "PRAGMA synchronous", &synchronous);
	if (status == STORE_OK)
		status = sql_read_int64(
		    store, "PRAGMA page_size", &store->page_bytes);
	if (status != STORE_OK)
		return status;
	if (synchronous != 2)
		return store_say(store, STORE_FAILED,
		    "SQLite does not sync each commit of %s (synchronous is "
		    "%d)",
		    store->files[FILE_DB].path, (int)synchronous);
	if (store->access == STORE_READ)
		return sql_exec(store, "PRAGMA query_only = ON;"
				       "PRAGMA cache_size = -2000");
	if (sqlite3_db_readonly(store->db, "main") != 0)
		return say_not_ours(store);
	checkpoint_follow(store, store->db);
	if (store->access == STORE_RELAY)
		status = sql_exec(store, "PRAGMA cache_size = " CACHE_KIB);
	return status;
}

/* Names the folder or file that is not for us. STORE_OK: none. */
static enum store_status
judge_access(
    struct store *store, bool (*is_ours)(const char *path, struct buf *why))
{
	enum store_status status = STORE_OK;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	if (!is_ours(store->path, &why))
		status = store_say(store, STORE_REFUSED, "%s", buf_text(&why));
	buf_free(&why);
	return status;
}

/* Under the lock: SQLite creates the log and its index, and sets their mode an
 * instant later; another user of a shared spool that opened them just then
 * would be refused. */
static enum store_status
connect_writer(struct store *store)
{
	enum store_status status;

	status = store_lock_file(store, store->open_by_ms);
	if (status != STORE_OK)
		return status;
	status = judge_access(store, access_is_log_ours);
	if (status == STORE_OK)
		status = connect_db(store);
	if (status == STORE_OK)
		status = schema_read_version(store, &store->schema_version);
	flock(store->lock_fd, LOCK_UN);
	return status;
}

/* Returns whether the file is there, with its mode. */
static bool
is_made(const struct store *store, const char *name)
{
	struct stat db, file;

	return fstatat(store->folder_fd, DB_NAME, &db, 0) == 0 &&
	       fstatat(store->folder_fd, name, &file, 0) == 0 &&
	       (file.st_mode & 0777) == (db.st_mode & 0777);
}

/* Takes no lock unless the log or its index is being created, by this reader or
 * by another process; goes on if there is no lock in time. */
static enum store_status
connect_reader(struct store *store)
{
	enum store_status status;
	int lock = -1;

	if (!is_made(store, WAL_NAME) || !is_made(store, SHM_NAME))
		lock = openat(store->folder_fd, LOCK_NAME,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (lock >= 0)
		lock_take(lock, store->open_by_ms);
	status = judge_access(store, access_is_log_ours);
	if (status == STORE_OK)
		status = connect_db(store);
	if (status == STORE_OK)
		status = schema_read_version(store, &store->schema_version);
	if (lock >= 0)
		close(lock);
	return status;
}

/* The opened database is the file that find_db saw. */
static enum store_status
check_opened(struct store *store)
{
	int has_moved = 1;

	if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED,
		&has_moved) == SQLITE_OK &&
	    !has_moved &&
	    (store->access == STORE_READ ||
		store_check_files(store) == STORE_OK))
		return STORE_OK;
	return store_say(store, STORE_FAILED,
	    "%s was replaced while it was being opened",
	    store->files[FILE_DB].path);
}

/* After SQLite's first read in WAL mode, these two files exist as long as this
 * process has the database open. */
static enum store_status
note_log_files(struct store *store)
{
	struct stat found;
	size_t i;

	for (i = FILE_WAL; i <= FILE_SHM; i++) {
		if (stat(store->files[i].path, &found) != 0)
			return store_say(store, STORE_FAILED,
			    "could not look at %s: %s", store->files[i].path,
			    strerror(errno));
		note_file(&store->files[i], &found);
	}
	return STORE_OK;
}

/* Under the lock. A copy made by `hookspool backup` and put in place is not in
 * WAL mode yet. */
static enum store_status
ensure_wal(struct store *store)
{
	sqlite3_stmt *statement =
	    sql_prepare(store, "PRAGMA main.journal_mode = WAL");
	enum store_status status;
	const char *mode;

	if (statement == NULL)
		return STORE_FAILED;
	status = sql_next(store, statement);
	if (status != STORE_OK)
		return status;
	mode = (const char *)sqlite3_column_text(statement, 0);
	if (mode == NULL || strcmp(mode, "wal") != 0)
		status = store_say(store, STORE_REFUSED,
		    "%s cannot be used with a write-ahead log (mode %s)",
		    store->files[FILE_DB].path,
		    mode != NULL ? mode : "unknown");
	sqlite3_reset(statement);
	return status;
}

/* The steps before a writer may write. */
static enum store_status
join_writers(struct store *store)
{
	enum store_status status;

	status = store_lock_write(store, store->open_by_ms);
	if (status != STORE_OK)
		return status;
	status = ensure_wal(store);
	if (status == STORE_OK)
		status = recover_first(store);
	if (status == STORE_OK)
		status = note_log_files(store);
	store_unlock_write(store);
	return status;
}

static void
repair_access(const struct store *store)
{
	struct buf said;

	buf_init(&said, WHY_MAX_BYTES);
	access_repair(store->path, &said);
	if (said.len > 0)
		log_note(LOG_LEVEL_ERROR,
		    "the spool had wrong modes; they were corrected",
		    LOG_TEXT("reason", buf_text(&said)));
	buf_free(&said);
}

/* Checks the folder, once known to be a spool's, and its files: ours, or shared
 * with our group, and closed to others. */
static enum store_status
enter(struct store *store)
{
	enum store_status status;

	status = folder_open(store->path, &store->folder_fd, &store->why);
	if (status == STORE_REFUSED && store->folder_fd < 0 &&
	    judge_access(store, access_is_ours) != STORE_OK)
		return STORE_REFUSED;
	if (status == STORE_OK)
		status = find_db(store);
	if (status != STORE_OK)
		return status;
	if (store->access != STORE_READ)
		repair_access(store);
	return judge_access(store, access_is_ours);
}

static enum store_status
open_files(struct store *store)
{
	enum store_status status = enter(store);

	if (status == STORE_OK)
		status = open_lock(store);
	if (status == STORE_OK)
		status = store->access == STORE_READ ? connect_reader(store)
						     : connect_writer(store);
	if (status == STORE_OK)
		status = check_opened(store);
	if (status == STORE_OK)
		status =
		    schema_judge(store, store->access, store->schema_version);
	if (store->access == STORE_READ)
		return status;
	if (status == STORE_OK)
		return join_writers(store);
	if (status != STORE_TOO_OLD || store->access != STORE_RELAY)
		return status;
	status = join_writers(store);
	if (status == STORE_OK)
		status = schema_migrate(store, store->schema_version);
	return status;
}

static enum store_status
open_all(struct store *store)
{
	enum store_status status = open_files(store);

	if (status == STORE_OK && store->access != STORE_CAPTURE)
		status = spool_time_open(store);
	return status;
}

struct store_options
store_options_for(const struct spool_config *spool, enum store_access access)
{
	return (struct store_options){.path = spool->path,
	    .access = access,
	    .min_free_bytes = spool->min_free_bytes,
	    .max_size_bytes = spool->max_size_bytes};
}

enum store_status
store_open(
    const struct store_options *options, struct store **store, struct buf *why)
{
	struct store *new = store_new(options);
	enum store_status status = open_all(new);

	buf_clear(why);
	*store = NULL;
	if (status == STORE_OK) {
		sqlite3_busy_timeout(new->db, READ_WAIT_MS);
		*store = new;
		return STORE_OK;
	}
	buf_add_text(why, store_why(new));
	store_close(new);
	return status;
}

bool
store_is_broken(const struct store *store)
{
	return store->is_broken;
}

const char *
store_why(const struct store *store)
{
	return buf_text(&store->why);
}

void
store_set_limits(
    struct store *store, int64_t min_free_bytes, int64_t max_size_bytes)
{
	store->min_free_bytes = min_free_bytes;
	store->max_size_bytes = max_size_bytes;
}
