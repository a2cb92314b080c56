/*
 * Keeping refused bodies: a courtesy, so everything about it is cheap and
 * nothing about it may fail a request. Its own connection does not sync; the
 * next commit that does covers these pages too.
 */
#include "config.h"

#include "spool/store_internal.h"

#include "base/clock.h"

#define REFUSALS_PER_SECOND 10
#define REFUSE_WAIT_MS      50

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

static bool
connect_once(struct store *store)
{
	struct refusing *refusing = &store->refusing;

	if (refusing->db != NULL)
		return true;
	if (sql_connect(store->files[FILE_DB].path, "OFF", &refusing->db) ==
		SQLITE_OK &&
	    sqlite3_prepare_v2(refusing->db,
		"INSERT INTO refusals (received_at_ms, status, why,"
		" content_type, remote_addr, sent_bytes, body)"
		" VALUES (?, ?, ?, ?, ?, ?, ?)",
		-1, &refusing->insert, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(refusing->db,
		"DELETE FROM refusals WHERE seq <= ?", -1, &refusing->trim,
		NULL) == SQLITE_OK) {
		checkpoint_follow(store, refusing->db);
		return true;
	}
	refuse_close(refusing);
	return false;
}

static bool
insert(struct refusing *refusing, const struct refusal *refusal)
{
	size_t len = refusal->body_bytes < REFUSAL_MAX_BYTES
			 ? refusal->body_bytes
			 : REFUSAL_MAX_BYTES;
	sqlite3_stmt *row = refusing->insert;
	bool is_done;

	sqlite3_bind_int64(row, 1, refusal->received_at_ms);
	sqlite3_bind_int(row, 2, refusal->status);
	sql_bind_text(row, 3, refusal->why);
	sql_bind_text(row, 4, refusal->content_type);
	sql_bind_text(row, 5, refusal->remote_addr);
	if (refusal->sent_bytes >= 0)
		sqlite3_bind_int64(row, 6, refusal->sent_bytes);
	sql_bind_blob(row, 7, len > 0 ? refusal->body : "", len);
	is_done = sqlite3_step(row) == SQLITE_DONE;
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
	return is_done;
}

static bool
trim(struct refusing *refusing)
{
	bool is_done;

	sqlite3_bind_int64(refusing->trim, 1,
	    sqlite3_last_insert_rowid(refusing->db) - REFUSAL_MAX_COUNT);
	is_done = sqlite3_step(refusing->trim) == SQLITE_DONE;
	sqlite3_reset(refusing->trim);
	return is_done;
}

/* Under the lock. */
static void
keep(struct store *store, const struct refusal *refusal)
{
	struct refusing *refusing = &store->refusing;

	if (store_check_free(store) != STORE_OK || !connect_once(store))
		return;
	sqlite3_busy_timeout(refusing->db, 0);
	if (sqlite3_exec(refusing->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
	    SQLITE_OK)
		return;
	if (!insert(refusing, refusal) || !trim(refusing) ||
	    sqlite3_exec(refusing->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		sqlite3_exec(refusing->db, "ROLLBACK", NULL, NULL, NULL);
}

void
store_refuse(struct store *store, const struct refusal *refusal)
{
	if (!take_token(&store->refusing) ||
	    store_lock_write(store, clock_mono_ms() + REFUSE_WAIT_MS) !=
		STORE_OK)
		return;
	keep(store, refusal);
	/* Refusals alone would make the log grow as long as nothing else is
	 * written. */
	if (checkpoint_is_due(store))
		checkpoint_try(store);
	store_unlock_write(store);
}
