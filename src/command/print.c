/*
 * Prints plain text for people: see print.h.
 */
#include "config.h"

#include "command/print.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "base/xalloc.h"

/* Returns whether a mark changes the text's direction, or is invisible. */
static bool
is_mark(wchar_t c)
{
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static bool
is_safe(wchar_t c)
{
	return iswprint((wint_t)c) != 0 && wcwidth(c) >= 0 && !is_mark(c);
}

void
print_add_safe(struct buf *buf, const char *bytes, size_t len)
{
	size_t used, i;
	mbstate_t state;
	wchar_t c;

	memset(&state, 0, sizeof state);
	for (; len > 0; bytes += used, len -= used) {
		used = mbrtowc(&c, bytes, len, &state);
		if (used == 0 || used > len) { /* NUL, or an invalid
						  character */
			memset(&state, 0, sizeof state);
			used = 1;
			c = L'\0';
		}
		if (*bytes == '\\') {
			buf_add_text(buf, "\\\\");
		} else if (c != L'\0' && is_safe(c)) {
			buf_add(buf, bytes, used);
		} else {
			for (i = 0; i < used; i++)
				buf_add_format(buf, "\\x%02x",
				    (unsigned)(unsigned char)bytes[i]);
		}
	}
}

void
print_safe(const char *text)
{
	struct buf buf;

	buf_init(&buf, PRINT_MAX_BYTES);
	if (text != NULL)
		print_add_safe(&buf, text, strlen(text));
	else
		buf_add_text(&buf, "-");
	fputs(buf_text(&buf), stdout);
	buf_free(&buf);
}

size_t
print_width(const char *safe)
{
	size_t width = 0, used, left = strlen(safe);
	mbstate_t state;
	wchar_t c;

	memset(&state, 0, sizeof state);
	while (left > 0) {
		used = mbrtowc(&c, safe, left, &state);
		if (used == 0 || used > left)
			return width + left;
		width += wcwidth(c) > 0 ? (size_t)wcwidth(c) : 0;
		safe += used;
		left -= used;
	}
	return width;
}

void
print_add_time(struct buf *buf, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char text[64];
	struct tm local;

	if (wall_ms <= 0 || localtime_r(&seconds, &local) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &local) == 0)
		buf_add_text(buf, "-");
	else
		buf_add_text(buf, text);
}

/* Appends the two largest units that are not zero. */
void
print_add_span(struct buf *buf, int64_t ms)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
	int64_t seconds = ms > 0 ? ms / 1000 : 0;
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	buf_add_format(buf, "%lld%s", (long long)(seconds / units[i].seconds),
	    units[i].name);
	seconds %= units[i].seconds;
	if (i < 3 && seconds >= units[i + 1].seconds)
		buf_add_format(buf, " %lld%s",
		    (long long)(seconds / units[i + 1].seconds),
		    units[i + 1].name);
}

void
print_add_size(struct buf *buf, int64_t bytes)
{
	static const char letters[] = "KMGT";
	double scaled = (double)bytes;
	size_t i = 0;

	if (bytes < 1024) {
		buf_add_format(buf, "%lld bytes", (long long)bytes);
		return;
	}
	for (scaled /= 1024; scaled >= 1024 && letters[i + 1] != '\0'; i++)
		scaled /= 1024;
	buf_add_format(
	    buf, scaled < 10 ? "%.1f%c" : "%.0f%c", scaled, letters[i]);
}

struct table
table_new(const char *const *titles, size_t columns)
{
	struct table table = {.columns = columns};
	size_t i;

	for (i = 0; i < columns; i++)
		table_add(&table, titles[i]);
	return table;
}

static void
add_cell(struct table *table, char *safe)
{
	table->cells =
	    xreallocarray(table->cells, table->count + 1, sizeof *table->cells);
	table->cells[table->count++] = safe;
}

void
table_add(struct table *table, const char *text)
{
	struct buf buf;

	buf_init(&buf, PRINT_MAX_BYTES);
	if (text == NULL || *text == '\0')
		text = "-";
	print_add_safe(&buf, text, strlen(text));
	add_cell(table, buf_take(&buf));
}

void
table_add_number(struct table *table, int64_t number)
{
	add_cell(table, xasprintf("%lld", (long long)number));
}

void
table_add_buf(struct table *table, struct buf *buf)
{
	add_cell(table, buf_take(buf));
}

static size_t
column_width(const struct table *table, size_t column)
{
	size_t i, width, widest = 0;

	for (i = column; i < table->count; i += table->columns) {
		width = print_width(table->cells[i]);
		if (width > widest)
			widest = width;
	}
	return widest;
}

void
table_print(struct table *table)
{
	size_t *widths = xcalloc(table->columns, sizeof *widths);
	size_t i, column;

	for (i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (i = 0; i < table->count; i++) {
		column = i % table->columns;
		fputs(table->cells[i], stdout);
		if (column + 1 == table->columns)
			putchar('\n');
		else
			printf("%*s",
			    (int)(widths[column] + 2 -
				  print_width(table->cells[i])),
			    "");
		free(table->cells[i]);
	}
	free(widths);
	free(table->cells);
	*table = (struct table){.columns = table->columns};
}
