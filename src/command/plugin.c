/*
 * The monitoring plugin: see plugin.h.
 */
#include "config.h"

#include "command/plugin.h"

#include <stdio.h>

#include "command/print.h"

static int64_t
age(int64_t now_ms, int64_t since_ms)
{
	return since_ms > 0 && since_ms < now_ms ? now_ms - since_ms : 0;
}

static int64_t
greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void
add_destination(int64_t *at, const struct destination *d, int64_t now_ms)
{
	at[FIGURE_DEAD] += d->dead;
	if (!d->is_configured) {
		at[FIGURE_ORPHANED] += d->pending;
		return;
	}
	at[FIGURE_BACKLOG] += d->pending;
	at[FIGURE_DOWN] =
	    greater(at[FIGURE_DOWN], age(now_ms, d->down_since_ms));
	at[FIGURE_PAUSED] =
	    greater(at[FIGURE_PAUSED], age(now_ms, d->paused_at_ms));
}

static void
take_summary(int64_t *at, const struct site *site, int64_t now_ms)
{
	const struct store_summary *summary = &site->summary;
	size_t i;

	at[FIGURE_OLDEST] = age(now_ms, summary->oldest_undelivered_ms);
	at[FIGURE_BACKLOG] = summary->events_new;
	at[FIGURE_DEAD] = at[FIGURE_ORPHANED] = 0;
	at[FIGURE_DOWN] = at[FIGURE_PAUSED] = 0;
	for (i = 0; i < summary->destination_count; i++)
		add_destination(at, &summary->destinations[i], now_ms);
	at[FIGURE_SILENCE] =
	    age(now_ms, summary->newest_event_ms > 0 ? summary->newest_event_ms
						     : summary->made_at_ms);
	at[FIGURE_REFUSED] = summary->refused;
	at[FIGURE_SIZE] = summary->size_bytes;
	at[FIGURE_FREE] = summary->free_bytes;
	at[FIGURE_RELAY] =
	    !summary->is_relay_running && !site->config->relay.is_on_demand;
}

static const char *
text_or_null(const struct buf *buf)
{
	return buf->len > 0 ? buf_text(buf) : NULL;
}

static struct health_figures
take_figures(const struct site *site, int64_t now_ms)
{
	struct health_figures figures = {
	    .capture_problem = text_or_null(&site->capture_problem),
	    .config_problem = text_or_null(&site->config_problem)};
	int i;

	for (i = 0; i < FIGURE_COUNT; i++)
		figures.at[i] = FIGURE_UNKNOWN;
	if (site->has_summary)
		take_summary(figures.at, site, now_ms);
	figures.at[FIGURE_CONFIG] = site->config_problem.len > 0;
	return figures;
}

/* Reads the limits again; status_read has checked both. */
static void
read_limits(const char *warn, const char *crit, struct limits limits[static 2])
{
	struct buf why;

	buf_init(&why, 1024);
	limits_read(warn, &limits[0], &why);
	limits_read(crit, &limits[1], &why);
	buf_free(&why);
}

enum level
plugin_judge(
    const char *warn, const char *crit, const struct site *site, int64_t now_ms)
{
	struct health_figures figures = take_figures(site, now_ms);
	struct limits limits[2];

	read_limits(warn, crit, limits);
	return limits_judge(&figures, &limits[0], &limits[1]);
}

void
plugin_print(
    const char *warn, const char *crit, const struct site *site, int64_t now_ms)
{
	struct health_figures figures = take_figures(site, now_ms);
	struct limits limits[2];
	struct buf line;

	buf_init(&line, PRINT_MAX_BYTES);
	read_limits(warn, crit, limits);
	limits_add_line(&line, &figures, &limits[0], &limits[1]);
	puts(buf_text(&line));
	buf_free(&line);
}
