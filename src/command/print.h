/*
 * Prints plain text for people: text from strangers without bytes that could
 * control a terminal, times in local time, columns aligned.
 */
#ifndef HOOKSPOOL_PRINT_H
#define HOOKSPOOL_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define PRINT_MAX_BYTES (64U << 20) /* of one escaped text */

/* Appends printable characters of the locale as they are, a backslash as \\,
 * and all other bytes as \xNN. */
void print_add_safe(struct buf *buf, const char *bytes, size_t len);

/* Prints a text safely to stdout; NULL as "-". */
void print_safe(const char *text);

/* Returns the columns that a safe text takes on a terminal. */
size_t print_width(const char *safe);

/* Append to `buf`: 2006-01-02 15:04:05 CET; 2h 3m; 12.3M. A time of 0 or less
 * is "-". */
void print_add_time(struct buf *buf, int64_t wall_ms);
void print_add_span(struct buf *buf, int64_t ms);
void print_add_size(struct buf *buf, int64_t bytes);

/* ---- a table: filled row by row, columns as wide as their widest cell ---- */

struct table {
	size_t columns;
	char **cells; /* owned; safe texts */
	size_t count;
};

/* Makes a table with `titles`, `columns` of them, as its first row. */
struct table table_new(const char *const *titles, size_t columns);

/* Add the next cell. Text is made safe; NULL is "-". */
void table_add(struct table *table, const char *text);
void table_add_number(struct table *table, int64_t number);
/* Takes text made by print_add_..., and empties `buf`. */
void table_add_buf(struct table *table, struct buf *buf);

/* Prints the rows and frees the table, which forgets rows and widths. */
void table_print(struct table *table);

#endif
