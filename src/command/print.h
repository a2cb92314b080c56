/*
 * Plain text for people: whatever a stranger sent is shown without a byte
 * that could move a terminal's cursor, times in local time, columns aligned.
 */
#ifndef HOOKSPOOL_PRINT_H
#define HOOKSPOOL_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define PRINT_MAX_BYTES (64U << 20) /* of one text, escaped */

/* Appends what the locale calls printable as it is, all else as \xNN, and a
 * backslash as \\. */
void print_add_safe(struct buf *buf, const char *bytes, size_t len);

/* Prints a text safely to stdout; NULL as "-". */
void print_safe(const char *text);

/* The columns that a safe text takes. */
size_t print_width(const char *safe);

/* Each appends to `buf`: 2006-01-02 15:04:05 CET; 2h 3m; 12.3M. A time of 0
 * or less is "-". */
void print_add_time(struct buf *buf, int64_t wall_ms);
void print_add_span(struct buf *buf, int64_t ms);
void print_add_size(struct buf *buf, int64_t bytes);

/* ---- a table: a row at a time, columns as wide as their widest cell ---- */

struct table {
	size_t columns;
	char **cells; /* owned; safe texts */
	size_t count;
};

/* `titles` are the first row, `columns` of them. */
struct table table_new(const char *const *titles, size_t columns);

/* Adds the next cell; the text of a stranger is made safe; NULL is "-". */
void table_add(struct table *table, const char *text);
void table_add_number(struct table *table, int64_t number);
/* Takes what print_add_... put there, and empties it. */
void table_add_buf(struct table *table, struct buf *buf);

/* Prints the rows and forgets them, the widths too; frees the table. */
void table_print(struct table *table);

#endif
