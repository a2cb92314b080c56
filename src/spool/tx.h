/*
 * Statements and transactions, for the files of spool/ only. A transaction
 * remembers its first failure: from then on nothing is run or read, and tx_end
 * returns the failure. A caller writes one statement after another and looks
 * at the status once:
 *
 *	struct tx tx = tx_begin(store);
 *
 *	if (!tx_get(&tx, "SELECT id FROM destinations WHERE name = ?1", name,
 *		&id))
 *		tx_say(&tx, STORE_GONE, "no destination \"%s\"", name);
 *	tx_run(&tx, "DELETE FROM attempts WHERE destination = ?1", id);
 *	return tx_end(&tx);
 *
 * After the SQL come the parameters ?1, ?2, ... in order, then, as pointers,
 * where the columns of a row go. _Generic turns each argument into a struct
 * sql_value by its type. A format string ("ii") would have the reader and the
 * compiler believe it: an int passed where 64 bits are read is undefined, and
 * goes wrong on some machines only. Here every integer type is right, and an
 * argument of a type without a rule does not compile. As many parameters as
 * the SQL has, no more and no fewer, is an assertion.
 *
 *	integers, bool, enum		an integer
 *	char *				text, borrowed; a NULL pointer is NULL
 *	sql_blob(bytes, len)		a blob, borrowed; a NULL pointer is NULL
 *	sql_null(), sql_int(n)		for cond ? sql_int(n) : sql_null()
 *	int64_t *, int *, enum *	gets an integer, NULL as 0
 *	sql_int_or(&n, value)		the same, NULL as `value`
 *	bool *				gets whether the integer is not 0
 *	char **				gets a copy to be freed, NULL as NULL
 *	sql_blob_to(&bytes, &len)	the same of a blob
 *	sql_text_to(buffer, size)	copies text, cut to `size`; NULL as ""
 *	const char **			borrows text until the next tx_next
 *	struct sql_bytes *		borrows a blob until the next tx_next
 *
 * Borrowed parameters must last until the statement is done: the end of the
 * call, or of the rows. The SQL is a string that lives for good.
 */
#ifndef HOOKSPOOL_TX_H
#define HOOKSPOOL_TX_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "spool/spool.h"

/* ---- arguments ---- */

enum sql_kind {
	SQL_KIND_END, /* of the arguments */
	/* parameters */
	SQL_KIND_NULL,
	SQL_KIND_INT,
	SQL_KIND_TEXT,
	SQL_KIND_BLOB,
	/* columns */
	SQL_KIND_INT64_TO,
	SQL_KIND_INT_TO,
	SQL_KIND_BOOL_TO,
	SQL_KIND_COPY_TO,
	SQL_KIND_TEXT_TO,
	SQL_KIND_BORROWED_TEXT_TO,
	SQL_KIND_BORROWED_BLOB_TO
};

/* A parameter, or the place of a column. */
struct sql_value {
	enum sql_kind kind;
	int64_t number; /* INT; INT64_TO: what NULL becomes */
	const void *bytes;
	size_t len; /* BLOB, TEXT_TO */
	void *to;
	size_t *len_to; /* COPY_TO; NULL: not asked for */
};

struct sql_bytes {
	const char *bytes; /* NULL: the column is NULL */
	size_t len;
};

static inline struct sql_value
sql_null(void)
{
	return (struct sql_value){.kind = SQL_KIND_NULL};
}

static inline struct sql_value
sql_int(int64_t number)
{
	return (struct sql_value){.kind = SQL_KIND_INT, .number = number};
}

static inline struct sql_value
sql_text(const char *text)
{
	return (struct sql_value){.kind = SQL_KIND_TEXT, .bytes = text};
}

static inline struct sql_value
sql_blob(const void *bytes, size_t len)
{
	return (struct sql_value){
	    .kind = SQL_KIND_BLOB, .bytes = bytes, .len = len};
}

static inline struct sql_value
sql_int_or(int64_t *to, int64_t if_null)
{
	return (struct sql_value){
	    .kind = SQL_KIND_INT64_TO, .to = to, .number = if_null};
}

/* clang-format off */
#define SQL_COLUMN(name, type, of_kind) \
	static inline struct sql_value \
	name(type *to) \
	{ \
		return (struct sql_value){.kind = of_kind, .to = to}; \
	}
/* clang-format on */

/* An enum is an unsigned int to gcc and clang; the code may write int. */
SQL_COLUMN(sql_enum_to, unsigned int, SQL_KIND_INT_TO)
SQL_COLUMN(sql_int_to, int, SQL_KIND_INT_TO)
SQL_COLUMN(sql_int64_to, int64_t, SQL_KIND_INT64_TO)
SQL_COLUMN(sql_bool_to, bool, SQL_KIND_BOOL_TO)
SQL_COLUMN(sql_copy_to, char *, SQL_KIND_COPY_TO)
SQL_COLUMN(sql_borrowed_text_to, const char *, SQL_KIND_BORROWED_TEXT_TO)
SQL_COLUMN(sql_borrowed_blob_to, struct sql_bytes, SQL_KIND_BORROWED_BLOB_TO)

static inline struct sql_value
sql_blob_to(char **to, size_t *len)
{
	return (struct sql_value){
	    .kind = SQL_KIND_COPY_TO, .to = to, .len_to = len};
}

static inline struct sql_value
sql_text_to(char *buffer, size_t size)
{
	return (struct sql_value){
	    .kind = SQL_KIND_TEXT_TO, .to = buffer, .len = size};
}

static inline struct sql_value
sql_same(struct sql_value value)
{
	return value;
}

/* clang-format off */
#define SQL_VALUE(argument) _Generic((argument), \
	bool: sql_int, \
	int: sql_int, \
	unsigned int: sql_int, \
	long: sql_int, \
	unsigned long: sql_int, \
	long long: sql_int, \
	unsigned long long: sql_int, \
	char *: sql_text, \
	const char *: sql_text, \
	int64_t *: sql_int64_to, \
	int *: sql_int_to, \
	unsigned int *: sql_enum_to, \
	bool *: sql_bool_to, \
	char **: sql_copy_to, \
	const char **: sql_borrowed_text_to, \
	struct sql_bytes *: sql_borrowed_blob_to, \
	struct sql_value: sql_same)(argument)

/* An array of the arguments but the first, up to 24, followed by SQL_END. */
#define SQL_VALUES(...) SQL_LIST(__VA_ARGS__, SQL_END)
#define SQL_END ((struct sql_value){.kind = SQL_KIND_END})
#define SQL_LIST(first, ...) \
	(const struct sql_value[]){SQL_PICK(__VA_ARGS__, \
	    SQL_25, SQL_24, SQL_23, SQL_22, SQL_21, SQL_20, SQL_19, SQL_18, \
	    SQL_17, SQL_16, SQL_15, SQL_14, SQL_13, SQL_12, SQL_11, SQL_10, \
	    SQL_9, SQL_8, SQL_7, SQL_6, SQL_5, SQL_4, SQL_3, SQL_2, SQL_1, \
	    0)(__VA_ARGS__)}
#define SQL_PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, \
	_15, _16, _17, _18, _19, _20, _21, _22, _23, _24, _25, picked, ...) \
	picked
#define SQL_FIRST(...) SQL_FIRST_OF(__VA_ARGS__, 0)
#define SQL_FIRST_OF(first, ...) first
#define SQL_1(a) SQL_VALUE(a)
#define SQL_2(a, ...) SQL_VALUE(a), SQL_1(__VA_ARGS__)
#define SQL_3(a, ...) SQL_VALUE(a), SQL_2(__VA_ARGS__)
#define SQL_4(a, ...) SQL_VALUE(a), SQL_3(__VA_ARGS__)
#define SQL_5(a, ...) SQL_VALUE(a), SQL_4(__VA_ARGS__)
#define SQL_6(a, ...) SQL_VALUE(a), SQL_5(__VA_ARGS__)
#define SQL_7(a, ...) SQL_VALUE(a), SQL_6(__VA_ARGS__)
#define SQL_8(a, ...) SQL_VALUE(a), SQL_7(__VA_ARGS__)
#define SQL_9(a, ...) SQL_VALUE(a), SQL_8(__VA_ARGS__)
#define SQL_10(a, ...) SQL_VALUE(a), SQL_9(__VA_ARGS__)
#define SQL_11(a, ...) SQL_VALUE(a), SQL_10(__VA_ARGS__)
#define SQL_12(a, ...) SQL_VALUE(a), SQL_11(__VA_ARGS__)
#define SQL_13(a, ...) SQL_VALUE(a), SQL_12(__VA_ARGS__)
#define SQL_14(a, ...) SQL_VALUE(a), SQL_13(__VA_ARGS__)
#define SQL_15(a, ...) SQL_VALUE(a), SQL_14(__VA_ARGS__)
#define SQL_16(a, ...) SQL_VALUE(a), SQL_15(__VA_ARGS__)
#define SQL_17(a, ...) SQL_VALUE(a), SQL_16(__VA_ARGS__)
#define SQL_18(a, ...) SQL_VALUE(a), SQL_17(__VA_ARGS__)
#define SQL_19(a, ...) SQL_VALUE(a), SQL_18(__VA_ARGS__)
#define SQL_20(a, ...) SQL_VALUE(a), SQL_19(__VA_ARGS__)
#define SQL_21(a, ...) SQL_VALUE(a), SQL_20(__VA_ARGS__)
#define SQL_22(a, ...) SQL_VALUE(a), SQL_21(__VA_ARGS__)
#define SQL_23(a, ...) SQL_VALUE(a), SQL_22(__VA_ARGS__)
#define SQL_24(a, ...) SQL_VALUE(a), SQL_23(__VA_ARGS__)
#define SQL_25(a, ...) SQL_VALUE(a), SQL_24(__VA_ARGS__)
/* clang-format on */

/* ---- transactions ---- */

enum tx_kind { TX_NONE, TX_READ, TX_WRITE };

struct tx {
	struct store *store;
	enum tx_kind kind;
	enum store_status status; /* STORE_OK, or the first failure */
	sqlite3_stmt *rows;       /* between tx_ask and their end */
};

/* Takes the write lock, waiting until store_deadline, and begins. A failure
 * here is the transaction's first, handled like any other. */
struct tx tx_begin(struct store *store);

/* Begins a read transaction: all reads see one moment. Keep short, because a
 * long reader makes the log grow: no callback is called within. */
struct tx tx_begin_read(struct store *store);

/* No transaction, or a caller's: only remembers failures. */
struct tx tx_none(struct store *store);

/* Commits, or after a failure rolls back, and releases the lock. Returns
 * STORE_OK or the first failure. If the commit failed, either nothing was done,
 * or the result is unknown and the store is broken. */
enum store_status tx_end(struct tx *tx);

static inline bool
tx_is_ok(const struct tx *tx)
{
	return tx->status == STORE_OK;
}

/* Makes `status`, unless STORE_OK, the failure of a transaction without a
 * failure. */
void tx_fail(struct tx *tx, enum store_status status);

/* Does the same, and writes store->why. */
void tx_say(struct tx *tx, enum store_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- statements ---- */

/* tx_run(tx, sql, parameters...): runs a statement without rows. Returns the
 * number of rows changed by an INSERT, UPDATE or DELETE; 0 after a failure. */
#define tx_run(tx, ...)                                                        \
	tx_run_values((tx), SQL_FIRST(__VA_ARGS__), SQL_VALUES(__VA_ARGS__))

/* tx_get(tx, sql, parameters..., columns...): reads the first row. Returns
 * false, with the columns' places untouched, if there is none or the
 * transaction has failed. Lends nothing. */
#define tx_get(tx, ...)                                                        \
	tx_get_values((tx), SQL_FIRST(__VA_ARGS__), SQL_VALUES(__VA_ARGS__))

/* tx_ask(tx, sql, parameters...), then tx_next(tx, columns...) for each row
 * while true. False: no more rows, or the transaction has failed; the statement
 * is then reset. A caller that stops earlier calls tx_stop: an open statement
 * is a long reader. One tx_ask at a time; other statements may run between its
 * rows. */
#define tx_ask(tx, ...)                                                        \
	tx_ask_values((tx), SQL_FIRST(__VA_ARGS__), SQL_VALUES(__VA_ARGS__))
#define tx_next(...)                                                           \
	tx_next_values(SQL_FIRST(__VA_ARGS__), SQL_VALUES(__VA_ARGS__))
void tx_stop(struct tx *tx);

int64_t tx_run_values(
    struct tx *tx, const char *sql, const struct sql_value *values);
bool tx_get_values(
    struct tx *tx, const char *sql, const struct sql_value *values);
void tx_ask_values(
    struct tx *tx, const char *sql, const struct sql_value *values);
bool tx_next_values(struct tx *tx, const struct sql_value *values);

#endif
