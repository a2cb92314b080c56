/*
 * hookspool list: events and their deliveries, newest first.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command/command.h"
#include "command/jsonout.h"
#include "command/print.h"
#include "command/rows.h"
#include "command/when.h"
#include "config/value.h"
#include "spool/spool.h"

#define LIMIT_DEFAULT 50
#define BLOCK_ROWS    500 /* aligned with each other; bounds the memory */

enum {
	OPTION_STATE,
	OPTION_TO,
	OPTION_TYPE,
	OPTION_TICKET,
	OPTION_NOTE,
	OPTION_COMMUNITY,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_LIMIT,
	OPTION_JSON
};

const struct option_row list_options[] = {
    [OPTION_STATE] = {"state", "STATE",
	"new, routed, pending, delivered, dead, dropped or orphaned"},
    [OPTION_TO] = {"to", "NAME", "with a delivery to this destination"},
    [OPTION_TYPE] = {"type", "PATTERN", "with this EventType, * and ? allowed"},
    [OPTION_TICKET] = {"ticket", "ID", "of this ticket"},
    [OPTION_NOTE] = {"note", "ID", "of this note"},
    [OPTION_COMMUNITY] = {"community", "PATTERN",
	"of this community, * and ? allowed"},
    [OPTION_SINCE] = {"since", "TIME",
	"received since, such as 2h, 2006-01-02 or 2006-01-02T15:04"},
    [OPTION_UNTIL] = {"until", "TIME", "received before"},
    [OPTION_LIMIT] = {"limit", "COUNT", "at most so many, 0 for all [50]"},
    [OPTION_JSON] = {"json", NULL, "JSON lines, one object an event"},
    {.name = NULL}};

/* ---- the filter ---- */

static bool
is_state(const char *word)
{
	int state;

	if (strcmp(word, "new") == 0 || strcmp(word, "routed") == 0)
		return true;
	for (state = DELIVERY_PENDING; state <= DELIVERY_ORPHANED; state++)
		if (strcmp(word,
			delivery_state_name((enum delivery_state)state)) == 0)
			return true;
	return false;
}

/* A time of the filter; false if it is none. */
static bool
read_time(const struct call *call, int option, int64_t *wall_ms)
{
	const char *text = call->values[option];

	return text == NULL || when_read(text, clock_wall_ms(), wall_ms);
}

static int
read_filter(const struct call *call, struct list_filter *filter)
{
	const char *const *values = call->values;
	int64_t limit = LIMIT_DEFAULT;

	*filter = (struct list_filter){.state = values[OPTION_STATE],
	    .destination = values[OPTION_TO],
	    .type = values[OPTION_TYPE],
	    .ticket = values[OPTION_TICKET],
	    .note = values[OPTION_NOTE],
	    .community = values[OPTION_COMMUNITY]};
	if (filter->state != NULL && !is_state(filter->state))
		return command_misuse(
		    call, "\"%s\" is no state", filter->state);
	if (!read_time(call, OPTION_SINCE, &filter->since_ms))
		return command_misuse(
		    call, "\"%s\" is no time", values[OPTION_SINCE]);
	if (!read_time(call, OPTION_UNTIL, &filter->until_ms))
		return command_misuse(
		    call, "\"%s\" is no time", values[OPTION_UNTIL]);
	if (values[OPTION_LIMIT] != NULL &&
	    value_read_number(values[OPTION_LIMIT], VALUE_PLAIN, &limit) !=
		NULL)
		return command_misuse(
		    call, "\"%s\" is no count", values[OPTION_LIMIT]);
	filter->limit = (size_t)limit;
	return STATUS_FINE;
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
	struct list_filter filter;
	enum store_status listed;
	int status = read_filter(call, &filter);

	if (status != STATUS_FINE)
		return status;
	if (call->values[OPTION_JSON] != NULL) {
		listed = store_list(call->store, &filter, print_json, NULL);
	} else {
		listed = store_list(call->store, &filter, print_row, &table);
		table_print(&table);
	}
	return listed == STORE_OK ? STATUS_FINE
				  : command_fail("%s", store_why(call->store));
}
