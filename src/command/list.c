/*
 * hookspool list: events and their deliveries, newest first.
 */
#include "config.h"

#include "command/command.h"
#include "command/filter.h"
#include "command/jsonout.h"
#include "command/print.h"
#include "command/rows.h"
#include "spool/spool.h"

#define LIMIT_DEFAULT 50
#define BLOCK_ROWS    500 /* aligned with each other; bounds the memory */

enum { OPTION_JSON = FILTER_COUNT };

const struct option_row list_options[] = {
    FILTER_ROWS("with a delivery to this destination",
	"at most so many, 0 for all [50]"),
    [OPTION_JSON] = {"json", NULL, "JSON lines, one object an event"},
    {.name = NULL}};

int
list_read(struct call *call)
{
	return filter_read(call, LIMIT_DEFAULT);
}

/* ---- the output ---- */

static bool
print_json(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct jsonout out = {.needs_comma = false};

	(void)arg;
	jsonout_open(&out, NULL, '{');
	rows_event(&out, event);
	rows_deliveries(&out, deliveries, count);
	jsonout_close(&out, '}');
	jsonout_end(&out);
	return true;
}

static const char *const titles[] = {
    "RECEIVED", "ID", "TYPE", "TICKET", "DELIVERIES"};

#define COLUMNS (sizeof titles / sizeof titles[0])

/* crm: delivered, erp: pending */
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

static bool
print_row(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct table *table = arg;
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
	if (table->count >= BLOCK_ROWS * COLUMNS)
		table_print(table);
	return true;
}

int
command_list(struct call *call)
{
	struct table table = {.columns = COLUMNS};
	enum store_status listed;

	if (call->values[OPTION_JSON] != NULL) {
		listed =
		    store_list(call->store, &call->filter, print_json, NULL);
	} else {
		listed =
		    store_list(call->store, &call->filter, print_row, &table);
		table_print(&table);
	}
	return listed == STORE_OK ? STATUS_FINE
				  : command_fail("%s", store_why(call->store));
}
