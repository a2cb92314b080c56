/*
 * Explains why deliveries wait, or do not exist: see reasons.h.
 */
#include "config.h"

#include "command/reasons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command/command.h"
#include "json/write.h"
#include "command/print.h"
#include "conf/conf.h"
#include "conf/match.h"

/* ---- why a delivery waits ---- */

enum wait {
	WAIT_NOT, /* settled */
	WAIT_REMOVED,
	WAIT_PAUSED,
	WAIT_HELD,
	WAIT_BEHIND,
	WAIT_DOWN,
	WAIT_RETRY,
	WAIT_RELAY, /* due, but no relay runs */
	WAIT_DUE
};

static const char *const wait_words[] = {[WAIT_NOT] = NULL,
    [WAIT_REMOVED] = "removed",
    [WAIT_PAUSED] = "paused",
    [WAIT_HELD] = "held",
    [WAIT_BEHIND] = "behind",
    [WAIT_DOWN] = "down",
    [WAIT_RETRY] = "retry",
    [WAIT_RELAY] = "no relay",
    [WAIT_DUE] = "due"};

static const struct destination *
find_counts(const struct store_summary *summary, const char *name)
{
	size_t i;

	for (i = 0; i < summary->destination_count; i++)
		if (strcmp(summary->destinations[i].name, name) == 0)
			return &summary->destinations[i];
	return NULL;
}

static enum wait
judge(const struct delivery_row *row, const struct destination *d,
    bool is_relay_running, int64_t now_ms)
{
	if (row->state == DELIVERY_ORPHANED)
		return WAIT_REMOVED;
	if (row->state != DELIVERY_PENDING || d == NULL)
		return WAIT_NOT;
	if (d->paused_at_ms != 0)
		return WAIT_PAUSED;
	if (d->hold_until_ms > now_ms)
		return WAIT_HELD;
	if (row->behind_id != NULL)
		return WAIT_BEHIND;
	if (d->down_since_ms != 0)
		return WAIT_DOWN;
	if (row->next_at_ms > now_ms)
		return WAIT_RETRY;
	return is_relay_running ? WAIT_DUE : WAIT_RELAY;
}

/* Returns the end of the wait if known; else 0. */
static int64_t
wait_until_ms(
    enum wait wait, const struct delivery_row *row, const struct destination *d)
{
	switch (wait) {
	case WAIT_HELD:
		return d->hold_until_ms;
	case WAIT_DOWN:
		return d->probe_at_ms;
	case WAIT_RETRY:
		return row->next_at_ms;
	case WAIT_NOT:
	case WAIT_REMOVED:
	case WAIT_PAUSED:
	case WAIT_BEHIND:
	case WAIT_RELAY:
	case WAIT_DUE:
		break;
	}
	return 0;
}

/* Appends `in 2m 3s` or `now`. */
static void
add_until(struct buf *buf, int64_t until_ms, int64_t now_ms)
{
	if (until_ms - now_ms < 1000) {
		buf_add_text(buf, "now");
		return;
	}
	buf_add_text(buf, "in ");
	print_add_span(buf, until_ms - now_ms);
}

static void
add_pause(struct buf *buf, const struct destination *d, int64_t now_ms)
{
	buf_add_text(buf, "the destination was paused ");
	print_add_span(buf, now_ms - d->paused_at_ms);
	buf_add_format(buf, " ago by %s",
	    d->paused_by != NULL ? d->paused_by : "the relay");
	if (d->pause_reason != NULL)
		buf_add_format(buf, " (%s)", d->pause_reason);
	buf_add_format(
	    buf, "; end the pause with: hookspool resume %s", d->name);
}

static void
add_hold(struct buf *buf, const struct destination *d, int64_t now_ms)
{
	buf_add_text(
	    buf, "the destination asked by Retry-After to wait until ");
	print_add_time(buf, d->hold_until_ms);
	buf_add_text(buf, ", ");
	add_until(buf, d->hold_until_ms, now_ms);
}

static void
add_down(struct buf *buf, const struct destination *d, int64_t now_ms)
{
	buf_add_text(buf, "the destination has been down for ");
	print_add_span(buf, now_ms - d->down_since_ms);
	buf_add_text(buf, "; the next probe: ");
	add_until(buf, d->probe_at_ms, now_ms);
}

/* Appends the sentence for a wait. */
static void
add_wait(struct buf *buf, enum wait wait, const struct delivery_row *row,
    const struct destination *d, int64_t now_ms)
{
	switch (wait) {
	case WAIT_NOT:
		break;
	case WAIT_REMOVED:
		buf_add_text(buf, "the destination is no longer configured");
		break;
	case WAIT_PAUSED:
		add_pause(buf, d, now_ms);
		break;
	case WAIT_HELD:
		add_hold(buf, d, now_ms);
		break;
	case WAIT_BEHIND:
		buf_add_format(buf,
		    "an earlier event of its ticket comes first: %s",
		    row->behind_id);
		break;
	case WAIT_DOWN:
		add_down(buf, d, now_ms);
		break;
	case WAIT_RETRY:
		buf_add_text(buf, "the last attempt failed; the next one: ");
		add_until(buf, row->next_at_ms, now_ms);
		break;
	case WAIT_RELAY:
		buf_add_text(buf,
		    "no relay runs: start its service, or run hookspool "
		    "relay --if-pending");
		break;
	case WAIT_DUE:
		buf_add_text(buf, "it is due");
		break;
	}
}

/* ---- why there is no delivery ---- */

static bool
has_delivery(const struct event_detail *detail, const char *name)
{
	size_t i;

	for (i = 0; i < detail->delivery_count; i++)
		if (strcmp(detail->deliveries[i].destination, name) == 0)
			return true;
	return false;
}

static void
add_patterns(struct buf *buf, const char *key, const struct text_list *patterns)
{
	size_t i;

	buf_add_format(buf, "%s = ", key);
	for (i = 0; i < patterns->count; i++)
		buf_add_format(
		    buf, "%s%s", i > 0 ? ", " : "", patterns->items[i]);
}

/* Appends the sentence for a missing delivery. */
static void
add_unwanted(struct buf *buf, enum wanted wanted,
    const struct destination_config *destination, const struct event_row *event)
{
	switch (wanted) {
	case WANTED_NOT_TYPE:
		add_patterns(buf, "events", &destination->events);
		buf_add_format(
		    buf, " does not match the type %s", event->event_type);
		break;
	case WANTED_NOT_COMMUNITY:
		add_patterns(buf, "community", &destination->communities);
		buf_add_format(buf, " does not match the community %s",
		    event->community != NULL ? event->community : "\"\"");
		break;
	case WANTED_YES:
		buf_add_format(buf,
		    "it matches now, but not when the event was routed; "
		    "deliver it with: hookspool replay --to %s %s",
		    destination->name, event->id);
		break;
	}
}

static const char *
unwanted_word(enum wanted wanted)
{
	switch (wanted) {
	case WANTED_NOT_TYPE:
		return "event_type";
	case WANTED_NOT_COMMUNITY:
		return "community";
	case WANTED_YES:
		break;
	}
	return "configured later";
}

/* ---- both ---- */

enum store_status
reasons_read(struct reasons *reasons, struct store *store,
    const struct event_detail *detail, const char *config_path)
{
	*reasons = (struct reasons){.detail = detail};
	buf_init(&reasons->problem, WHY_MAX_BYTES);
	reasons->config =
	    config_load(config_path, CONFIG_ALL, &reasons->problem);
	return store_summarize(store, clock_wall_ms(), &reasons->summary);
}

void
reasons_free(struct reasons *reasons)
{
	store_free_summary(&reasons->summary);
	config_drop(reasons->config);
	buf_free(&reasons->problem);
}

/* Called for each destination with the word, the sentence and the details. */
typedef void (*each_wait)(void *arg, enum wait wait,
    const struct delivery_row *row, const struct destination *d,
    const char *text);
typedef void (*each_unwanted)(
    void *arg, const char *name, enum wanted wanted, const char *text);

static void
for_each_wait(const struct reasons *reasons, each_wait each, void *arg)
{
	int64_t now_ms = clock_wall_ms();
	struct buf text;
	size_t i;

	buf_init(&text, PRINT_MAX_BYTES);
	for (i = 0; i < reasons->detail->delivery_count; i++) {
		const struct delivery_row *row =
		    &reasons->detail->deliveries[i];
		const struct destination *d =
		    find_counts(&reasons->summary, row->destination);
		enum wait wait =
		    judge(row, d, reasons->summary.is_relay_running, now_ms);

		buf_clear(&text);
		add_wait(&text, wait, row, d, now_ms);
		if (wait != WAIT_NOT)
			each(arg, wait, row, d, buf_text(&text));
	}
	buf_free(&text);
}

static void
for_each_unwanted(const struct reasons *reasons, each_unwanted each, void *arg)
{
	const struct event_row *event = &reasons->detail->event;
	const struct config *config = reasons->config;
	struct buf text;
	size_t i;

	if (config == NULL || !event->is_routed)
		return;
	buf_init(&text, PRINT_MAX_BYTES);
	for (i = 0; i < config->destination_count; i++) {
		const struct destination_config *destination =
		    &config->destinations[i];
		enum wanted wanted = destination_judge(
		    destination, event->event_type, event->community);

		if (has_delivery(reasons->detail, destination->name))
			continue;
		buf_clear(&text);
		add_unwanted(&text, wanted, destination, event);
		each(arg, destination->name, wanted, buf_text(&text));
	}
	buf_free(&text);
}

static void
print_line(const char *name, const char *verb, const char *text)
{
	print_safe(name);
	fputs(verb, stdout);
	print_safe(text);
	putchar('\n');
}

static void
print_wait(void *arg, enum wait wait, const struct delivery_row *row,
    const struct destination *d, const char *text)
{
	(void)arg;
	(void)wait;
	(void)d;
	print_line(row->destination, " waits: ", text);
}

static void
print_unwanted(
    void *arg, const char *name, enum wanted wanted, const char *text)
{
	(void)arg;
	(void)wanted;
	print_line(name, " gets nothing: ", text);
}

void
reasons_print(const struct reasons *reasons)
{
	if (!reasons->detail->event.is_routed)
		puts("\nno relay has routed it yet");
	for_each_wait(reasons, print_wait, NULL);
	for_each_unwanted(reasons, print_unwanted, NULL);
	if (reasons->config == NULL) {
		fputs("the destinations that it does not match are not known: ",
		    stdout);
		print_safe(buf_text(&reasons->problem));
		putchar('\n');
	}
}

static void
add_wait_json(void *arg, enum wait wait, const struct delivery_row *row,
    const struct destination *d, const char *text)
{
	struct jsonout *out = arg;
	bool is_paused = wait == WAIT_PAUSED;

	jsonout_open(out, NULL, '{');
	jsonout_text(out, "destination", row->destination);
	jsonout_text(out, "reason", wait_words[wait]);
	jsonout_text(out, "text", text);
	jsonout_some(out, "until_ms", wait_until_ms(wait, row, d));
	jsonout_text(out, "behind_id", row->behind_id);
	jsonout_text(out, "paused_by", is_paused ? d->paused_by : NULL);
	jsonout_text(out, "pause_reason", is_paused ? d->pause_reason : NULL);
	jsonout_close(out, '}');
}

static void
add_unwanted_json(
    void *arg, const char *name, enum wanted wanted, const char *text)
{
	struct jsonout *out = arg;

	jsonout_open(out, NULL, '{');
	jsonout_text(out, "destination", name);
	jsonout_text(out, "reason", unwanted_word(wanted));
	jsonout_text(out, "text", text);
	jsonout_close(out, '}');
}

void
reasons_add_json(const struct reasons *reasons, struct jsonout *out)
{
	jsonout_open(out, "waiting", '[');
	for_each_wait(reasons, add_wait_json, out);
	jsonout_close(out, ']');
	jsonout_open(out, "unmatched", '[');
	for_each_unwanted(reasons, add_unwanted_json, out);
	jsonout_close(out, ']');
}
