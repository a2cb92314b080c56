/*
 * Statements and transactions that remember their failure: see tx.h. Knows
 * sql.c, for what a result code means, and write.c, for the lock; nothing of
 * what is read or written.
 */
#include "config.h"

#include "spool/tx.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "spool/store_internal.h"

/* ---- transactions ---- */

struct tx
tx_begin(struct store *store)
{
	enum store_status status = store_begin(store, store_deadline(store));

	return (struct tx){.store = store,
	    .kind = status == STORE_OK ? TX_WRITE : TX_NONE,
	    .status = status};
}

struct tx
tx_begin_read(struct store *store)
{
	return (struct tx){.store = store,
	    .kind = TX_READ,
	    .status = sql_run(store, sql_prepare(store, "BEGIN DEFERRED"))};
}

struct tx
tx_none(struct store *store)
{
	return (struct tx){.store = store, .kind = TX_NONE, .status = STORE_OK};
}

/* Nothing was written. Some failures have ended the transaction already. */
static void
end_read(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		(void)sql_run(store, sql_prepare(store, "ROLLBACK"));
}

enum store_status
tx_end(struct tx *tx)
{
	tx_stop(tx);
	switch (tx->kind) {
	case TX_NONE:
		break;
	case TX_READ:
		end_read(tx->store);
		break;
	case TX_WRITE:
		if (tx_is_ok(tx))
			tx->status = store_commit(tx->store);
		else
			store_rollback(tx->store);
		break;
	}
	return tx->status;
}

void
tx_fail(struct tx *tx, enum store_status status)
{
	if (tx_is_ok(tx))
		tx->status = status;
}

void
tx_say(struct tx *tx, enum store_status status, const char *format, ...)
{
	va_list args;

	if (!tx_is_ok(tx))
		return;
	va_start(args, format);
	tx->status = store_say_list(tx->store, status, format, args);
	va_end(args);
}

/* ---- arguments ---- */

static void
bind_one(sqlite3_stmt *statement, int index, const struct sql_value *value)
{
	switch (value->kind) {
	case SQL_KIND_INT:
		sqlite3_bind_int64(statement, index, value->number);
		return;
	case SQL_KIND_TEXT:
		sql_bind_text(statement, index, value->bytes);
		return;
	case SQL_KIND_BLOB:
		sql_bind_blob(statement, index, value->bytes, value->len);
		return;
	case SQL_KIND_NULL: /* what sql_prepare leaves */
	case SQL_KIND_END:
	case SQL_KIND_INT64_TO:
	case SQL_KIND_INT_TO:
	case SQL_KIND_BOOL_TO:
	case SQL_KIND_COPY_TO:
	case SQL_KIND_TEXT_TO:
	case SQL_KIND_BORROWED_TEXT_TO:
	case SQL_KIND_BORROWED_BLOB_TO:
		return;
	}
}

static bool
is_parameter(const struct sql_value *value)
{
	return value->kind >= SQL_KIND_NULL && value->kind <= SQL_KIND_BLOB;
}

/* Prepares the statement with its parameters. Returns the arguments behind
 * them: the columns. */
static const struct sql_value *
prepare(struct store *store, const char *sql, const struct sql_value *values,
    sqlite3_stmt **statement)
{
	int count = 0;

	*statement = sql_prepare(store, sql);
	for (; is_parameter(values); values++)
		if (*statement != NULL)
			bind_one(*statement, ++count, values);
	assert(*statement == NULL ||
	       count == sqlite3_bind_parameter_count(*statement));
	return values;
}

static void
take_text(sqlite3_stmt *row, int column, const struct sql_value *value)
{
	const unsigned char *text = sqlite3_column_text(row, column);

	snprintf(value->to, value->len, "%s",
	    text != NULL ? (const char *)text : "");
}

static void
take_one(sqlite3_stmt *row, int column, const struct sql_value *value)
{
	struct sql_bytes *bytes;

	switch (value->kind) {
	case SQL_KIND_INT64_TO:
		*(int64_t *)value->to =
		    sqlite3_column_type(row, column) == SQLITE_NULL
			? value->number
			: sqlite3_column_int64(row, column);
		return;
	case SQL_KIND_INT_TO:
		*(int *)value->to = sqlite3_column_int(row, column);
		return;
	case SQL_KIND_BOOL_TO:
		*(bool *)value->to = sqlite3_column_int(row, column) != 0;
		return;
	case SQL_KIND_COPY_TO:
		*(char **)value->to = sql_blob_dup(row, column, value->len_to);
		return;
	case SQL_KIND_TEXT_TO:
		take_text(row, column, value);
		return;
	case SQL_KIND_BORROWED_TEXT_TO:
		*(const char **)value->to =
		    (const char *)sqlite3_column_text(row, column);
		return;
	case SQL_KIND_BORROWED_BLOB_TO:
		bytes = value->to;
		bytes->bytes = sqlite3_column_blob(row, column);
		bytes->len = (size_t)sqlite3_column_bytes(row, column);
		return;
	case SQL_KIND_END:
	case SQL_KIND_NULL:
	case SQL_KIND_INT:
	case SQL_KIND_TEXT:
	case SQL_KIND_BLOB:
		break;
	}
	assert(!"a column");
}

static void
take(sqlite3_stmt *row, const struct sql_value *columns)
{
	int column;

	for (column = 0; columns[column].kind != SQL_KIND_END; column++)
		take_one(row, column, &columns[column]);
	assert(column <= sqlite3_column_count(row));
}

static bool
is_lent(const struct sql_value *columns)
{
	for (; columns->kind != SQL_KIND_END; columns++)
		if (columns->kind == SQL_KIND_BORROWED_TEXT_TO ||
		    columns->kind == SQL_KIND_BORROWED_BLOB_TO)
			return true;
	return false;
}

/* ---- statements ---- */

int64_t
tx_run_values(struct tx *tx, const char *sql, const struct sql_value *values)
{
	sqlite3_stmt *statement;

	if (!tx_is_ok(tx))
		return 0;
	values = prepare(tx->store, sql, values, &statement);
	assert(values->kind == SQL_KIND_END);
	tx->status = sql_run(tx->store, statement);
	return tx_is_ok(tx) ? sqlite3_changes(tx->store->db) : 0;
}

/* Whether there is a row; else `rows` is reset. */
static bool
step(struct tx *tx, sqlite3_stmt *rows)
{
	enum store_status status = sql_next(tx->store, rows);

	if (status != STORE_GONE)
		tx->status = status;
	return status == STORE_OK;
}

bool
tx_get_values(struct tx *tx, const char *sql, const struct sql_value *values)
{
	sqlite3_stmt *row;

	if (!tx_is_ok(tx))
		return false;
	values = prepare(tx->store, sql, values, &row);
	assert(!is_lent(values));
	if (!step(tx, row))
		return false;
	take(row, values);
	sqlite3_reset(row);
	return true;
}

void
tx_ask_values(struct tx *tx, const char *sql, const struct sql_value *values)
{
	assert(tx->rows == NULL);
	if (!tx_is_ok(tx))
		return;
	values = prepare(tx->store, sql, values, &tx->rows);
	assert(values->kind == SQL_KIND_END);
	if (tx->rows == NULL)
		tx->status = STORE_FAILED;
}

bool
tx_next_values(struct tx *tx, const struct sql_value *values)
{
	if (tx->rows == NULL)
		return false;
	if (!tx_is_ok(tx)) {
		tx_stop(tx);
		return false;
	}
	if (!step(tx, tx->rows)) {
		tx->rows = NULL;
		return false;
	}
	take(tx->rows, values);
	return true;
}

void
tx_stop(struct tx *tx)
{
	if (tx->rows != NULL)
		sqlite3_reset(tx->rows);
	tx->rows = NULL;
}
