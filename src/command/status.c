/*
 * hookspool status: what waits, since when, and why.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "command/command.h"
#include "command/jsonout.h"
#include "command/print.h"
#include "config/config.h"
#include "spool/spool.h"

enum { OPTION_JSON };

const struct option_row status_options[] = {
    [OPTION_JSON] = {"json", NULL, "one JSON document"}, {.name = NULL}};

/* Whether the attempt last made, to whichever delivery, has failed. */
static bool
is_failing(const struct destination_counts *d)
{
	return d->last_error != NULL ||
	       (d->last_status != 0 && d->last_status / 100 != 2);
}

/* What people call the state of a destination. */
static const char *
state_of(const struct destination_counts *d)
{
	if (!d->is_configured)
		return "removed";
	if (d->pending == 0)
		return "idle";
	return is_failing(d) ? "retrying" : "delivering";
}

static int64_t
count_pending(const struct store_summary *summary)
{
	int64_t pending = 0;
	size_t i;

	for (i = 0; i < summary->destination_count; i++)
		if (summary->destinations[i].is_configured)
			pending += summary->destinations[i].pending;
	return pending;
}

/* ---- JSON ---- */

static void
add_destination(struct jsonout *out, const struct destination_counts *d)
{
	jsonout_open(out, NULL, '{');
	jsonout_text(out, "name", d->name);
	jsonout_text(out, "state", state_of(d));
	jsonout_bool(out, "configured", d->is_configured);
	jsonout_number(out, "pending", d->pending);
	jsonout_number(out, "delivered", d->delivered);
	jsonout_number(out, "dead", d->dead);
	jsonout_number(out, "dropped", d->dropped);
	jsonout_some(out, "oldest_pending_ms", d->oldest_pending_ms);
	jsonout_some(out, "next_at_ms", d->next_at_ms);
	jsonout_some(out, "last_attempt_ms", d->last_attempt_ms);
	jsonout_some(out, "last_delivered_ms", d->last_delivered_ms);
	jsonout_some(out, "last_status", d->last_status);
	jsonout_text(out, "last_error", d->last_error);
	jsonout_close(out, '}');
}

static void
print_json(const char *path, const struct store_summary *summary)
{
	struct jsonout out = {.needs_comma = false};
	size_t i;

	jsonout_open(&out, NULL, '{');
	jsonout_text(&out, "spool", path);
	jsonout_number(&out, "schema_version", summary->schema_version);
	jsonout_number(&out, "events", summary->events);
	jsonout_number(&out, "events_new", summary->events_new);
	jsonout_number(&out, "events_last_hour", summary->events_last_hour);
	jsonout_some(&out, "newest_event_ms", summary->newest_event_ms);
	jsonout_number(&out, "pending", count_pending(summary));
	jsonout_some(
	    &out, "oldest_undelivered_ms", summary->oldest_undelivered_ms);
	jsonout_number(&out, "refused", summary->refused);
	jsonout_number(&out, "size_bytes", summary->size_bytes);
	jsonout_number(&out, "wal_bytes", summary->wal_bytes);
	jsonout_number(&out, "free_bytes", summary->free_bytes);
	jsonout_bool(&out, "relay_running", summary->is_relay_running);
	jsonout_bool(&out, "failed_sync", summary->has_failure_mark);
	jsonout_open(&out, "destinations", '[');
	for (i = 0; i < summary->destination_count; i++)
		add_destination(&out, &summary->destinations[i]);
	jsonout_close(&out, ']');
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

/* ---- text ---- */

static void
print_ago(int64_t now_ms, int64_t wall_ms)
{
	struct buf buf;

	buf_init(&buf, 128);
	print_add_time(&buf, wall_ms);
	if (wall_ms > 0) {
		buf_add_text(&buf, ", ");
		print_add_span(&buf, now_ms - wall_ms);
		buf_add_text(&buf, " ago");
	}
	fputs(buf_text(&buf), stdout);
	buf_free(&buf);
}

static void
print_spool(const char *path, const struct store_summary *summary)
{
	struct buf buf;

	buf_init(&buf, 256);
	print_add_size(&buf, summary->size_bytes);
	buf_add_text(&buf, " (WAL ");
	print_add_size(&buf, summary->wal_bytes);
	buf_add_text(&buf, "), ");
	print_add_size(&buf, summary->free_bytes);
	buf_add_text(&buf, " free on the disk");
	printf("spool    ");
	print_safe(path);
	printf(", %s\n", buf_text(&buf));
	buf_free(&buf);
	if (summary->has_failure_mark)
		puts("         a failed sync waits to be mended by the next "
		     "process that writes");
}

static void
print_totals(
    const char *path, int64_t now_ms, const struct store_summary *summary)
{
	print_spool(path, summary);
	printf("events   %lld, %lld in the last hour; newest: ",
	    (long long)summary->events, (long long)summary->events_last_hour);
	print_ago(now_ms, summary->newest_event_ms);
	printf("\nbacklog  %lld not routed, %lld deliveries pending; oldest: ",
	    (long long)summary->events_new, (long long)count_pending(summary));
	print_ago(now_ms, summary->oldest_undelivered_ms);
	printf("\nrefused  %lld kept\n", (long long)summary->refused);
	printf("relay    %s\n",
	    summary->is_relay_running ? "running" : "not running");
}

/* `2m 3s` from now; "now" when it is due; "-" when nothing waits. */
static void
add_due(struct table *table, int64_t now_ms, int64_t next_at_ms)
{
	struct buf buf;

	buf_init(&buf, 64);
	if (next_at_ms == 0)
		buf_add_text(&buf, "-");
	else if (next_at_ms - now_ms < 1000)
		buf_add_text(&buf, "now");
	else
		print_add_span(&buf, next_at_ms - now_ms);
	table_add_buf(table, &buf);
}

static void
add_age(struct table *table, int64_t now_ms, int64_t since_ms)
{
	struct buf buf;

	buf_init(&buf, 64);
	if (since_ms == 0)
		buf_add_text(&buf, "-");
	else
		print_add_span(&buf, now_ms - since_ms);
	table_add_buf(table, &buf);
}

/* The error and the status of the attempt last made, if it failed. */
static void
add_error(struct table *table, const struct destination_counts *d)
{
	struct buf buf;

	buf_init(&buf, PRINT_MAX_BYTES);
	if (is_failing(d) && d->last_status != 0)
		buf_add_format(&buf, "status %d", d->last_status);
	if (d->last_error != NULL)
		buf_add_format(
		    &buf, "%s%s", buf.len > 0 ? ": " : "", d->last_error);
	table_add(table, buf_text(&buf));
	buf_free(&buf);
}

static void
print_destinations(int64_t now_ms, const struct store_summary *summary)
{
	static const char *const titles[] = {"DESTINATION", "STATE", "PENDING",
	    "OLDEST", "NEXT TRY", "DELIVERED", "DEAD", "LAST ERROR"};
	struct table table = table_new(titles, 8);
	size_t i;

	for (i = 0; i < summary->destination_count; i++) {
		const struct destination_counts *d = &summary->destinations[i];

		table_add(&table, d->name);
		table_add(&table, state_of(d));
		table_add_number(&table, d->pending);
		add_age(&table, now_ms, d->oldest_pending_ms);
		add_due(&table, now_ms, d->next_at_ms);
		table_add_number(&table, d->delivered);
		table_add_number(&table, d->dead);
		add_error(&table, d);
	}
	putchar('\n');
	table_print(&table);
}

int
command_status(struct call *call)
{
	const char *path = call->config->spool.path;
	int64_t now_ms = clock_wall_ms();
	struct store_summary summary;

	if (store_summarize(call->store, now_ms, &summary) != STORE_OK)
		return command_fail("%s", store_why(call->store));
	if (call->values[OPTION_JSON] != NULL) {
		print_json(path, &summary);
	} else {
		print_totals(path, now_ms, &summary);
		if (summary.destination_count > 0)
			print_destinations(now_ms, &summary);
	}
	store_free_summary(&summary);
	return STATUS_FINE;
}
