/*
 * Statements, values and errors of SQLite, for the other files of the room.
 * Decides here, once, what a result code means for the spool: see store_fail.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* In KiB (a positive number would be pages). Captures and refusals write at the
 * end of a few tables: a larger cache would only fill up over time, to 2 MiB a
 * connection. */
#define SMALL_CACHE "-512"

int
sql_connect(
    const char *path, const char *synchronous, int wait_ms, sqlite3 **db)
{
	char *settings;
	int code;

	/* Without SQLITE_OPEN_CREATE: a missing mount stays missing. */
	code = sqlite3_open_v2(
	    path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return code;
	sqlite3_extended_result_codes(*db, 1);
	sqlite3_busy_timeout(*db, wait_ms);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Without this, a bound value that might suit another index would
	 * prepare the statement again each time. */
	sqlite3_db_config(*db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
	/* secure_delete overwrites deleted rows, also in pages that become free
	 * and would otherwise not be written. */
	settings = xasprintf("PRAGMA wal_autocheckpoint = 0;"
			     "PRAGMA mmap_size = 0;"
			     "PRAGMA temp_store = MEMORY;"
			     "PRAGMA cache_size = " SMALL_CACHE ";"
			     "PRAGMA secure_delete = ON;"
			     "PRAGMA synchronous = %s;",
	    synchronous);
	code = sqlite3_exec(*db, settings, NULL, NULL, NULL);
	free(settings);
	return code;
}

sqlite3_stmt *
sql_prepare(struct store *store, const char *sql)
{
	struct statement *new;
	size_t i;
	int code;

	for (i = 0; i < store->statement_count; i++) {
		struct statement *known = &store->statements[i];

		if (known->sql == sql || strcmp(known->sql, sql) == 0) {
			sqlite3_reset(known->handle);
			sqlite3_clear_bindings(known->handle);
			return known->handle;
		}
	}
	assert(store->statement_count < STATEMENT_MAX_COUNT);
	new = &store->statements[store->statement_count];
	code = sqlite3_prepare_v3(
	    store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &new->handle, NULL);
	if (code != SQLITE_OK) {
		store_fail(store, code, "read its schema");
		return NULL;
	}
	new->sql = sql;
	store->statement_count++;
	return new->handle;
}

enum store_status
sql_next(struct store *store, sqlite3_stmt *statement)
{
	enum store_status status;
	int code;

	if (statement == NULL)
		return STORE_FAILED;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return STORE_OK;
	status = code == SQLITE_DONE
		     ? STORE_GONE
		     : store_fail(store, code,
			   sqlite3_stmt_readonly(statement) ? "read" : "write");
	sqlite3_reset(statement);
	return status;
}

enum store_status
sql_run(struct store *store, sqlite3_stmt *statement)
{
	enum store_status status;

	while ((status = sql_next(store, statement)) == STORE_OK)
		continue;
	return status == STORE_GONE ? STORE_OK : status;
}

enum store_status
sql_exec(struct store *store, const char *sql)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? STORE_OK : store_fail(store, code, "write");
}

enum store_status
sql_read_int64(struct store *store, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement = sql_prepare(store, sql);
	enum store_status status = sql_next(store, statement);

	if (status == STORE_OK) {
		*value = sqlite3_column_int64(statement, 0);
		sqlite3_reset(statement);
	}
	return status;
}

void
sql_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	if (text != NULL)
		sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void
sql_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, size_t len)
{
	if (bytes != NULL)
		sqlite3_bind_blob64(
		    statement, index, bytes, len, SQLITE_STATIC);
}

char *
sql_text_dup(sqlite3_stmt *statement, int column)
{
	return sql_blob_dup(statement, column, NULL);
}

char *
sql_blob_dup(sqlite3_stmt *statement, int column, size_t *len)
{
	const char *bytes;
	size_t count;

	if (len != NULL)
		*len = 0;
	if (sqlite3_column_type(statement, column) == SQLITE_NULL)
		return NULL;
	bytes = sqlite3_column_blob(statement, column);
	count = (size_t)sqlite3_column_bytes(statement, column);
	if (len != NULL)
		*len = count;
	return xmemdup(bytes, count);
}

/* A copy put in place by hand, beside the previous database's log, looks
 * damaged. */
static void
explain_damage(struct store *store)
{
	struct stat log;

	if (store->folder_fd >= 0 &&
	    fstatat(store->folder_fd, WAL_NAME, &log, 0) == 0 &&
	    log.st_size > 0)
		buf_add_format(&store->why,
		    ": it is damaged, or %s/" WAL_NAME " is the log of another "
		    "database, as where a copy was put here by hand; put a "
		    "copy in place with `hookspool restore FILE`",
		    store->path);
	else
		buf_add_text(&store->why,
		    ": it is damaged; put a backup in its place with "
		    "`hookspool restore FILE`");
}

enum store_status
store_fail(struct store *store, int code, const char *doing)
{
	return store_fail_on(store, store->db, code, doing);
}

enum store_status
store_fail_on(struct store *store, sqlite3 *db, int code, const char *doing)
{
	store_say(store, STORE_FAILED, "could not %s %s/" DB_NAME ": %s (%d)",
	    doing, store->path,
	    db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(code), code);
	/* No room for the index of the WAL: a full disk, not lost data. */
	if (code == SQLITE_IOERR_SHMSIZE)
		return STORE_FULL;
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return STORE_BUSY;
	case SQLITE_FULL:
		return STORE_FULL;
	case SQLITE_NOMEM:
		abort();
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		explain_damage(store);
		store->is_broken = true;
		return STORE_FAILED;
	case SQLITE_IOERR:
		mark_leave(store);
		/* fallthrough */
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		store->is_broken = true;
		return STORE_FAILED;
	default:
		return STORE_FAILED;
	}
}

enum store_status
store_say_list(struct store *store, enum store_status status,
    const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		abort();
	buf_clear(&store->why);
	buf_add(&store->why, text, strnlen(text, WHY_MAX_BYTES));
	free(text);
	return status;
}

enum store_status
store_say(
    struct store *store, enum store_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	status = store_say_list(store, status, format, args);
	va_end(args);
	return status;
}
