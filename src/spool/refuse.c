/*
 * Keeps refused bodies, as a courtesy: must be cheap and may never fail a
 * request. Its own connection commits without a sync; the next synced commit
 * covers these pages too. But where SQLite begins the log anew, the log is
 * synced: overwriting frames of events without a sync would lose the events in
 * a power cut. Failures here count as failures of the store. All processes
 * together keep ten a second: the database counts. Each process counts as well,
 * so that a flood of bad requests does not take the write lock for each one.
 */
#include "config.h"

#include "spool/store_internal.h"

#include "base/clock.h"

#define REFUSALS_PER_SECOND 10
#define REFUSE_WAIT_MS      50
#define SYNCHRONOUS_NORMAL  1

/* Inserts nothing if the tenth newest is less than a second old. Older ones may
 * have a later time, if the clock was set back. */
static const char insert_sql[] =
    "INSERT INTO refusals (received_at_ms, status, why, content_type,"
    " remote_addr, sent_bytes, body) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
    " WHERE NOT EXISTS (SELECT 1 FROM (SELECT received_at_ms FROM refusals"
    " ORDER BY seq DESC LIMIT 1 OFFSET 9)"
    " WHERE abs(?1 - received_at_ms) < 1000)";

void
refuse_close(struct refusing *refusing)
{
	sqlite3_finalize(refusing->insert);
	sqlite3_finalize(refusing->trim);
	sqlite3_close(refusing->db);
	refusing->insert = NULL;
	refusing->trim = NULL;
	refusing->db = NULL;
}

/* A bucket of ten that fills with ten a second. */
static bool
take_token(struct refusing *refusing)
{
	int64_t now_ms = clock_mono_ms();
	bool is_taken;

	pthread_mutex_lock(&refusing->mutex);
	if (refusing->at_ms == 0)
		refusing->tokens = REFUSALS_PER_SECOND;
	else
		refusing->tokens += (double)(now_ms - refusing->at_ms) *
				    REFUSALS_PER_SECOND / 1000;
	refusing->at_ms = now_ms;
	if (refusing->tokens > REFUSALS_PER_SECOND)
		refusing->tokens = REFUSALS_PER_SECOND;
	is_taken = refusing->tokens >= 1;
	if (is_taken)
		refusing->tokens -= 1;
	pthread_mutex_unlock(&refusing->mutex);
	return is_taken;
}

static int
prepare(struct refusing *refusing)
{
	int code = sqlite3_prepare_v2(
	    refusing->db, insert_sql, -1, &refusing->insert, NULL);

	if (code != SQLITE_OK)
		return code;
	return sqlite3_prepare_v2(refusing->db,
	    "DELETE FROM refusals WHERE seq <= ?", -1, &refusing->trim, NULL);
}

/* Returns whether SQLite says that the connection syncs where the log begins
 * anew. */
static bool
is_normal(sqlite3 *db)
{
	sqlite3_stmt *pragma = NULL;
	bool is_normal;

	is_normal = sqlite3_prepare_v2(db, "PRAGMA synchronous", -1, &pragma,
			NULL) == SQLITE_OK &&
		    sqlite3_step(pragma) == SQLITE_ROW &&
		    sqlite3_column_int(pragma, 0) == SYNCHRONOUS_NORMAL;
	sqlite3_finalize(pragma);
	return is_normal;
}

static bool
connect_once(struct store *store)
{
	struct refusing *refusing = &store->refusing;
	int code;

	if (refusing->db != NULL)
		return true;
	code =
	    sql_connect(store->files[FILE_DB].path, "NORMAL", 0, &refusing->db);
	if (code == SQLITE_OK)
		code = prepare(refusing);
	/* A lack of descriptors passes, and the store itself is open. */
	if (code != SQLITE_OK && (code & 0xff) != SQLITE_CANTOPEN)
		store_fail_on(store, refusing->db, code, "open");
	if (code == SQLITE_OK && is_normal(refusing->db)) {
		checkpoint_follow(store, refusing->db);
		return true;
	}
	refuse_close(refusing);
	return false;
}

/* Returns whether the work is done. */
static bool
run(struct store *store, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	if (code != SQLITE_DONE)
		store_fail_on(store, store->refusing.db, code, "write");
	return code == SQLITE_DONE;
}

static bool
exec(struct store *store, const char *sql)
{
	sqlite3 *db = store->refusing.db;
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	if (code != SQLITE_OK)
		store_fail_on(store, db, code, "write");
	return code == SQLITE_OK;
}

/* Returns whether the body was inserted: not if this second has enough. */
static bool
insert(struct store *store, const struct refusal *refusal)
{
	size_t len = refusal->body_bytes < REFUSAL_MAX_BYTES
			 ? refusal->body_bytes
			 : REFUSAL_MAX_BYTES;
	sqlite3_stmt *row = store->refusing.insert;
	bool is_done;

	sqlite3_bind_int64(row, 1, refusal->received_at_ms);
	sqlite3_bind_int(row, 2, refusal->status);
	sql_bind_text(row, 3, refusal->why);
	sql_bind_text(row, 4, refusal->content_type);
	sql_bind_text(row, 5, refusal->remote_addr);
	if (refusal->sent_bytes >= 0)
		sqlite3_bind_int64(row, 6, refusal->sent_bytes);
	sql_bind_blob(row, 7, len > 0 ? refusal->body : "", len);
	is_done = run(store, row) && sqlite3_changes(store->refusing.db) > 0;
	sqlite3_clear_bindings(row);
	return is_done;
}

static bool
trim(struct store *store)
{
	struct refusing *refusing = &store->refusing;

	sqlite3_bind_int64(refusing->trim, 1,
	    sqlite3_last_insert_rowid(refusing->db) - REFUSAL_MAX_COUNT);
	return run(store, refusing->trim);
}

/* Under the lock. */
static void
keep(struct store *store, const struct refusal *refusal)
{
	if (store_check_free(store) != STORE_OK || !connect_once(store))
		return;
	sqlite3_busy_timeout(store->refusing.db, 0);
	if (!exec(store, "BEGIN IMMEDIATE"))
		return;
	if (!insert(store, refusal) || !trim(store) || !exec(store, "COMMIT"))
		sqlite3_exec(store->refusing.db, "ROLLBACK", NULL, NULL, NULL);
}

void
store_refuse(struct store *store, const struct refusal *refusal)
{
	if (!take_token(&store->refusing) ||
	    store_lock_write(store, clock_mono_ms() + REFUSE_WAIT_MS) !=
		STORE_OK)
		return;
	keep(store, refusal);
	/* Refusals alone would make the log grow while nothing else is
	 * written. */
	if (!store->is_for_one && checkpoint_is_due(store))
		checkpoint_try(store);
	store_unlock_write(store);
}
