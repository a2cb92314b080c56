/*
 * Prints events as a list: see listing.h.
 */
#include "config.h"

#include "command/listing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "json/write.h"
#include "command/progress.h"
#include "command/rows.h"

#define BLOCK_ROWS   500 /* rows aligned together; bounds memory */
#define SHORT_ID_MIN 8   /* characters, from the id's end */

static void
print_json(const struct event_row *event, const struct delivery_row *deliveries,
    size_t count)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	rows_event(&out, event);
	rows_deliveries(&out, deliveries, count);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

enum {
	COLUMN_RECEIVED,
	COLUMN_ID,
	COLUMN_TYPE,
	COLUMN_TICKET,
	COLUMN_DELIVERIES,
	COLUMNS
};

static const char *const titles[COLUMNS] = {
    "RECEIVED", "ID", "TYPE", "TICKET", "DELIVERIES"};

static int
compare_ends(const void *a, const void *b)
{
	const char *one = *(char *const *)a + UUID_TEXT_SIZE - 1;
	const char *other = *(char *const *)b + UUID_TEXT_SIZE - 1;
	int i;

	for (i = 1; i < UUID_TEXT_SIZE; i++)
		if (one[-i] != other[-i])
			return one[-i] < other[-i] ? -1 : 1;
	return 0;
}

/* Returns how many characters at the end tell these whole ids apart. Sorts ids
 * from their ends, so the most similar ones become neighbours. */
static size_t
short_length(char **ids, size_t count)
{
	size_t i, len = SHORT_ID_MIN, end = UUID_TEXT_SIZE - 1;

	qsort(ids, count, sizeof *ids, compare_ends);
	for (i = 1; i < count; i++)
		while (len < end &&
		       strcmp(ids[i - 1] + end - len, ids[i] + end - len) == 0)
			len++;
	return len;
}

/* Shows only the end of each id. The beginning holds the time, shown in a
 * column of its own; the end tells ids apart. */
static void
shorten_ids(struct table *table)
{
	size_t rows = table->count / COLUMNS, row, len;
	char **ids = xcalloc(rows + 1, sizeof *ids);

	for (row = 1; row < rows; row++) {
		ids[row - 1] = table->cells[row * COLUMNS + COLUMN_ID];
		assert(strlen(ids[row - 1]) == UUID_TEXT_SIZE - 1);
	}
	len = rows > 0 ? short_length(ids, rows - 1) : 0;
	for (row = 0; row + 1 < rows; row++)
		memmove(ids[row], ids[row] + UUID_TEXT_SIZE - 1 - len, len + 1);
	free(ids);
}

/* Adds a cell: `crm: delivered, erp: pending`. */
static void
add_deliveries(struct table *table, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct buf text;
	size_t i;

	buf_init(&text, PRINT_MAX_BYTES);
	for (i = 0; i < count; i++)
		buf_add_format(&text, "%s%s: %s", i > 0 ? ", " : "",
		    deliveries[i].destination,
		    delivery_state_name(deliveries[i].state));
	if (count == 0)
		buf_add_text(
		    &text, event->is_routed ? "(none)" : "(not routed yet)");
	table_add(table, buf_text(&text));
	buf_free(&text);
}

static void
print_block(struct listing *listing)
{
	progress_end(listing->progress);
	shorten_ids(&listing->table);
	table_print(&listing->table);
}

static void
add_row(struct listing *listing, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct table *table = &listing->table;
	struct buf time;

	if (table->count == 0)
		*table = table_new(titles, COLUMNS);
	buf_init(&time, 64);
	print_add_time(&time, event->received_at_ms);
	table_add_buf(table, &time);
	table_add(table, event->id);
	table_add(table, event->event_type);
	table_add(table, event->ticket_id);
	add_deliveries(table, event, deliveries, count);
	if (table->count >= (size_t)BLOCK_ROWS * COLUMNS)
		print_block(listing);
}

bool
listing_add(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct listing *listing = arg;

	listing->count++;
	if (listing->is_json) {
		progress_end(listing->progress);
		print_json(event, deliveries, count);
	} else {
		add_row(listing, event, deliveries, count);
	}
	return true;
}

void
listing_end(struct listing *listing)
{
	if (listing->table.count > 0)
		print_block(listing);
}
