/*
 * Prints the status: see overview.h.
 */
#include "config.h"

#include "command/overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "json/write.h"
#include "command/print.h"
#include "spool/spool.h"

/* Returns whether the destination's latest attempt failed. */
static bool
is_failing(const struct destination *d)
{
	return d->last_error != NULL ||
	       (d->last_status != 0 && d->last_status / 100 != 2);
}

/* Returns the word for a destination's state. */
static const char *
state_of(const struct destination *d, int64_t now_ms)
{
	if (!d->is_configured)
		return "removed";
	if (d->paused_at_ms != 0)
		return "paused";
	if (d->hold_until_ms > now_ms)
		return "held";
	if (d->pending == 0)
		return "idle";
	if (d->down_since_ms != 0)
		return "down";
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
add_destination(
    struct jsonout *out, const struct destination *d, int64_t now_ms)
{
	jsonout_open(out, NULL, '{');
	jsonout_text(out, "name", d->name);
	jsonout_text(out, "state", state_of(d, now_ms));
	jsonout_bool(out, "configured", d->is_configured);
	jsonout_number(out, "pending", d->pending);
	jsonout_number(out, "behind", d->behind);
	jsonout_number(out, "delivered", d->delivered);
	jsonout_number(out, "dead", d->dead);
	jsonout_number(out, "dropped", d->dropped);
	jsonout_some(out, "oldest_pending_ms", d->oldest_pending_ms);
	jsonout_some(out, "next_at_ms", d->next_at_ms);
	jsonout_some(out, "paused_at_ms", d->paused_at_ms);
	jsonout_text(out, "paused_by", d->paused_by);
	jsonout_text(out, "pause_reason", d->pause_reason);
	jsonout_some(out, "hold_until_ms", d->hold_until_ms);
	jsonout_some(out, "down_since_ms", d->down_since_ms);
	jsonout_some(out, "probe_at_ms", d->probe_at_ms);
	jsonout_some(out, "last_attempt_ms", d->last_attempt_ms);
	jsonout_some(out, "last_delivered_ms", d->last_delivered_ms);
	jsonout_some(out, "last_status", d->last_status);
	jsonout_text(out, "last_error", d->last_error);
	jsonout_text(out, "last_answer", d->last_answer);
	jsonout_close(out, '}');
}

static const char *
text_or_null(const struct buf *buf)
{
	return buf->len > 0 ? buf_text(buf) : NULL;
}

static void
add_relay(struct jsonout *out, const struct store_summary *summary)
{
	jsonout_bool(out, "relay_running", summary->is_relay_running);
	jsonout_some(out, "relay_pid", summary->relay.pid);
	jsonout_text(out, "relay_version",
	    summary->relay.version[0] != '\0' ? summary->relay.version : NULL);
	jsonout_some(out, "relay_started_ms", summary->relay.started_at_ms);
}

static void
add_summary(
    struct jsonout *out, int64_t now_ms, const struct store_summary *summary)
{
	size_t i;

	jsonout_number(out, "schema_version", summary->schema_version);
	jsonout_number(out, "events", summary->events);
	jsonout_number(out, "events_new", summary->events_new);
	jsonout_number(out, "events_last_hour", summary->events_last_hour);
	jsonout_number(out, "events_unmatched", summary->events_unwanted);
	jsonout_some(out, "newest_event_ms", summary->newest_event_ms);
	jsonout_number(out, "pending", count_pending(summary));
	jsonout_some(
	    out, "oldest_undelivered_ms", summary->oldest_undelivered_ms);
	jsonout_number(out, "refused", summary->refused);
	jsonout_number(out, "size_bytes", summary->size_bytes);
	jsonout_number(out, "wal_bytes", summary->wal_bytes);
	jsonout_number(out, "free_bytes", summary->free_bytes);
	add_relay(out, summary);
	jsonout_bool(out, "failed_sync", summary->has_failure_mark);
	jsonout_open(out, "destinations", '[');
	for (i = 0; i < summary->destination_count; i++)
		add_destination(out, &summary->destinations[i], now_ms);
	jsonout_close(out, ']');
}

void
overview_print_json(const struct site *site, int64_t now_ms, const char *level)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	if (level != NULL)
		jsonout_text(&out, "level", level);
	jsonout_bool(&out, "capturing", site->capture_problem.len == 0);
	jsonout_text(
	    &out, "capture_problem", text_or_null(&site->capture_problem));
	jsonout_text(
	    &out, "config_problem", text_or_null(&site->config_problem));
	jsonout_text(&out, "spool",
	    site->config != NULL ? site->config->spool.path : NULL);
	if (site->has_summary)
		add_summary(&out, now_ms, &site->summary);
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
		puts("         a sync has failed; the next process that writes "
		     "recovers the spool");
}

/* Prints without bars, since a bar would end a plugin's text. */
static void
print_barless(const char *text)
{
	char *copy = xstrdup(text), *bar;

	for (bar = copy; (bar = strchr(bar, '|')) != NULL; bar++)
		*bar = '/';
	print_safe(copy);
	putchar('\n');
	free(copy);
}

static void
print_problems(const struct site *site)
{
	if (site->capture_problem.len > 0) {
		fputs("capture  NOT POSSIBLE: ", stdout);
		print_barless(buf_text(&site->capture_problem));
	}
	if (site->config_problem.len > 0) {
		fputs("config   NOT VALID, no relay would start: ", stdout);
		print_barless(buf_text(&site->config_problem));
	}
}

/* Prints the process and its version, and advice if the version is older than
 * this program's. */
static void
print_relay(int64_t now_ms, const struct store_summary *summary)
{
	const struct relay_holder *relay = &summary->relay;
	struct buf buf;

	buf_init(&buf, 512);
	buf_add_text(
	    &buf, summary->is_relay_running ? "running" : "not running");
	if (relay->pid != 0)
		buf_add_format(&buf, ", pid %lld", (long long)relay->pid);
	if (relay->started_at_ms != 0) {
		buf_add_text(&buf, ", for ");
		print_add_span(&buf, now_ms - relay->started_at_ms);
	}
	if (relay->version[0] != '\0')
		buf_add_format(&buf, ", version %s", relay->version);
	fputs("relay    ", stdout);
	print_barless(buf_text(&buf));
	if (relay->version[0] != '\0' &&
	    strverscmp(relay->version, PACKAGE_VERSION) < 0)
		puts("         it is older than this program (" PACKAGE_VERSION
		     "): restart it");
	buf_free(&buf);
}

static void
print_totals(const struct site *site, int64_t now_ms)
{
	const struct store_summary *summary = &site->summary;
	int64_t pending = count_pending(summary);

	print_problems(site);
	print_spool(site->config->spool.path, summary);
	printf("events   %lld, %lld in the last hour; newest: ",
	    (long long)summary->events, (long long)summary->events_last_hour);
	print_ago(now_ms, summary->newest_event_ms);
	if (summary->events_unwanted > 0)
		printf("\n         %lld of them matched no destination",
		    (long long)summary->events_unwanted);
	printf("\nbacklog  %lld not routed, %lld %s pending; oldest: ",
	    (long long)summary->events_new, (long long)pending,
	    pending == 1 ? "delivery" : "deliveries");
	print_ago(now_ms, summary->oldest_undelivered_ms);
	printf("\nrefused  %lld kept\n", (long long)summary->refused);
	print_relay(now_ms, summary);
}

/* Returns when the next attempt is due; 0: now. A probe has a time of its
 * own. */
static int64_t
due_at(const struct destination *d)
{
	int64_t due_ms = d->probe_at_ms != 0 ? d->probe_at_ms : d->next_at_ms;

	return due_ms < d->hold_until_ms ? d->hold_until_ms : due_ms;
}

/* Adds `in 2m 3s`; "now" if due; "-" if nothing waits, or the time is
 * unknown. */
static void
add_due(struct table *table, const struct destination *d, int64_t now_ms)
{
	int64_t due_ms = due_at(d);
	struct buf buf;

	buf_init(&buf, 64);
	if (d->pending == 0 || d->paused_at_ms != 0 || !d->is_configured) {
		buf_add_text(&buf, "-");
	} else if (due_ms - now_ms < 1000) {
		buf_add_text(&buf, "now");
	} else {
		buf_add_text(&buf, "in ");
		print_add_span(&buf, due_ms - now_ms);
	}
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

/* Appends since when the destination is paused, by whom, and why. */
static void
add_pause(struct buf *buf, const struct destination *d, int64_t now_ms)
{
	buf_add_text(buf, "paused ");
	print_add_span(buf, now_ms - d->paused_at_ms);
	buf_add_text(buf, " ago");
	if (d->paused_by != NULL)
		buf_add_format(buf, " by %s", d->paused_by);
	buf_add_format(buf, "%s%s", d->pause_reason != NULL ? ": " : "",
	    d->pause_reason != NULL ? d->pause_reason : "");
}

static void
add_down(struct buf *buf, const struct destination *d, int64_t now_ms)
{
	buf_add_text(buf, "down for ");
	print_add_span(buf, now_ms - d->down_since_ms);
	buf_add_text(buf, ": ");
}

/* Appends the reason for the state: the pause, or the status and error of a
 * failed latest attempt. */
static void
add_why(struct buf *buf, const struct destination *d, int64_t now_ms)
{
	if (!d->is_configured) {
		buf_add_format(buf,
		    "no longer configured; erase its deliveries with: "
		    "hookspool forget %s",
		    d->name);
		return;
	}
	if (d->paused_at_ms != 0) {
		add_pause(buf, d, now_ms);
		return;
	}
	if (d->hold_until_ms > now_ms)
		buf_add_text(buf, "it sent Retry-After: ");
	else if (d->down_since_ms != 0)
		add_down(buf, d, now_ms);
	if (is_failing(d) && d->last_status != 0)
		buf_add_format(buf, "status %d%s", d->last_status,
		    d->last_error != NULL ? ": " : "");
	if (d->last_error != NULL)
		buf_add_text(buf, d->last_error);
	if (is_failing(d) && d->last_answer != NULL)
		buf_add_format(buf, ": %s", d->last_answer);
}

/* Prints the reason on a line of its own. */
static void
print_why(const struct destination *d, int64_t now_ms)
{
	struct buf buf;

	buf_init(&buf, PRINT_MAX_BYTES);
	add_why(&buf, d, now_ms);
	if (buf.len > 0) {
		print_safe(d->name);
		fputs(": ", stdout);
		print_barless(buf_text(&buf));
	}
	buf_free(&buf);
}

static void
print_destinations(int64_t now_ms, const struct store_summary *summary)
{
	static const char *const titles[] = {"DESTINATION", "STATE", "PENDING",
	    "OLDEST", "NEXT TRY", "DELIVERED", "DEAD"};
	struct table table = table_new(titles, 7);
	size_t i;

	for (i = 0; i < summary->destination_count; i++) {
		const struct destination *d = &summary->destinations[i];

		table_add(&table, d->name);
		table_add(&table, state_of(d, now_ms));
		table_add_number(&table, d->pending);
		add_age(&table, now_ms, d->oldest_pending_ms);
		add_due(&table, d, now_ms);
		table_add_number(&table, d->delivered);
		table_add_number(&table, d->dead);
	}
	putchar('\n');
	table_print(&table);
	for (i = 0; i < summary->destination_count; i++)
		print_why(&summary->destinations[i], now_ms);
}

void
overview_print_text(const struct site *site, int64_t now_ms)
{
	print_totals(site, now_ms);
	if (site->summary.destination_count > 0)
		print_destinations(now_ms, &site->summary);
}
