/*
 * hookspool show: shows one event with its deliveries, attempts and body.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "json/write.h"
#include "command/print.h"
#include "command/reasons.h"
#include "command/rows.h"
#include "conf/conf.h"
#include "spool/spool.h"

enum { OPTION_BODY, OPTION_JSON, OPTION_LAST };

static const struct option_row show_options[] = {
    [OPTION_BODY] = {"body", NULL, "print the body alone, byte for byte"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    [OPTION_LAST] = {"last", NULL, "the newest event"},
    {.name = NULL}};

static void
print_json(const struct event_detail *detail, const struct reasons *reasons)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	rows_event(&out, &detail->event);
	jsonout_bytes(
	    &out, "body", detail->event.body, (size_t)detail->event.body_bytes);
	rows_deliveries(&out, detail->deliveries, detail->delivery_count);
	rows_attempts(&out, detail->attempts, detail->attempt_count);
	reasons_add_json(reasons, &out);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

static void
print_field(const char *name, const char *text)
{
	if (text == NULL)
		return;
	printf("%-13s  ", name);
	print_safe(text);
	putchar('\n');
}

static void
print_event(const struct event_row *event)
{
	struct buf buf;

	buf_init(&buf, 64);
	print_field("id", event->id);
	print_add_time(&buf, event->received_at_ms);
	print_field("received", buf_text(&buf));
	buf_free(&buf);
	print_field("state", event->is_routed ? "routed" : "new");
	print_field("type", event->event_type);
	print_field("community", event->community);
	print_field("ticket", event->ticket_id);
	print_field("note", event->note_id);
	print_field("conversation", event->conversation_id);
	print_field("content type", event->content_type);
	print_field("from", event->remote_addr);
	printf("%-13s  %lld bytes\n", "body", (long long)event->body_bytes);
}

static void
add_time(struct table *table, int64_t wall_ms)
{
	struct buf buf;

	buf_init(&buf, 64);
	print_add_time(&buf, wall_ms);
	table_add_buf(table, &buf);
}

static void
add_status(struct table *table, int status)
{
	if (status != 0)
		table_add_number(table, status);
	else
		table_add(table, NULL);
}

static void
print_deliveries(const struct event_detail *detail)
{
	static const char *const titles[] = {
	    "DELIVERY", "STATE", "ATTEMPTS", "NEXT TRY", "SETTLED"};
	struct table table = table_new(titles, 5);
	size_t i;

	for (i = 0; i < detail->delivery_count; i++) {
		const struct delivery_row *row = &detail->deliveries[i];

		table_add(&table, row->destination);
		table_add(&table, delivery_state_name(row->state));
		table_add_number(&table, row->attempts);
		add_time(&table, row->next_at_ms);
		add_time(&table, row->settled_at_ms);
	}
	putchar('\n');
	table_print(&table);
}

/* Adds the error and the destination's answer in one cell. */
static void
add_answer(struct table *table, const struct attempt_row *row)
{
	struct buf buf;

	buf_init(&buf, PRINT_MAX_BYTES);
	if (row->error != NULL)
		print_add_safe(&buf, row->error, strlen(row->error));
	if (row->error != NULL && row->answer_bytes > 0)
		buf_add_text(&buf, ": ");
	if (row->answer_bytes > 0)
		print_add_safe(&buf, row->answer, row->answer_bytes);
	table_add_buf(table, &buf);
}

static void
print_attempts(const struct event_detail *detail)
{
	static const char *const titles[] = {"ATTEMPT", "TO", "STARTED", "MS",
	    "OUTCOME", "STATUS", "ERROR AND ANSWER"};
	struct table table = table_new(titles, 7);
	size_t i;

	for (i = 0; i < detail->attempt_count; i++) {
		const struct attempt_row *row = &detail->attempts[i];

		table_add_number(&table, row->number);
		table_add(&table, row->destination);
		add_time(&table, row->started_at_ms);
		table_add_number(&table, row->duration_ms);
		table_add(&table, outcome_name(row->outcome));
		add_status(&table, row->status);
		add_answer(&table, row);
	}
	putchar('\n');
	table_print(&table);
}

/* Prints line by line, each made safe. */
static void
print_body(const char *body, size_t len)
{
	const char *newline;
	struct buf line;
	size_t part;

	buf_init(&line, PRINT_MAX_BYTES * 4ULL);
	putchar('\n');
	while (len > 0) {
		newline = memchr(body, '\n', len);
		part = newline != NULL ? (size_t)(newline - body) : len;
		buf_clear(&line);
		print_add_safe(&line, body, part);
		puts(buf_text(&line));
		if (newline != NULL)
			part++;
		body += part;
		len -= part;
	}
	buf_free(&line);
}

static void
print_text(const struct event_detail *detail, const struct reasons *reasons)
{
	print_event(&detail->event);
	if (detail->delivery_count > 0)
		print_deliveries(detail);
	reasons_print(reasons);
	if (detail->attempt_count > 0)
		print_attempts(detail);
	print_body(detail->event.body, (size_t)detail->event.body_bytes);
}

static int
show_read(struct call *call)
{
	bool is_last = call->values[OPTION_LAST] != NULL;

	if (is_last == (call->operands[0] != NULL))
		return command_misuse(call,
		    is_last
			? "an ID and --last cannot be given together; leave "
			  "one out"
			: "ID is missing; give the ID of an event, or --last");
	return STATUS_FINE;
}

static enum store_status
find_event(struct call *call, char *id)
{
	if (call->values[OPTION_LAST] != NULL)
		return store_find_newest(call->store, id);
	return store_find_event(call->store, call->operands[0], id);
}

static enum store_status
print(const struct call *call, const struct event_detail *detail)
{
	const struct event_row *event = &detail->event;
	struct reasons reasons;
	enum store_status status;

	if (call->values[OPTION_BODY] != NULL &&
	    call->values[OPTION_JSON] == NULL) {
		fwrite(event->body, 1, (size_t)event->body_bytes, stdout);
		return STORE_OK;
	}
	status =
	    reasons_read(&reasons, call->store, detail, call->config->path);
	if (status == STORE_OK && call->values[OPTION_JSON] != NULL)
		print_json(detail, &reasons);
	else if (status == STORE_OK)
		print_text(detail, &reasons);
	reasons_free(&reasons);
	return status;
}

static int
run_show(struct call *call)
{
	struct event_detail detail = {.deliveries = NULL};
	char id[UUID_TEXT_SIZE];
	int status = STATUS_FINE;

	if (find_event(call, id) != STORE_OK ||
	    store_show_event(call->store, id, &detail) != STORE_OK)
		return command_fail("%s", store_why(call->store));
	if (print(call, &detail) != STORE_OK)
		status = command_fail("%s", store_why(call->store));
	store_free_detail(&detail);
	return status;
}

const struct command command_show = {.name = "show",
    .operands = "[ID]",
    .operands_max = 1,
    .needs = NEEDS_STORE,
    .options = show_options,
    .read = show_read,
    .run = run_show,
    .summary = "show one event, its deliveries, attempts and body"};
