/*
 * Limits and levels of a monitoring plugin: see limits.h.
 */
#include "config.h"

#include "command/limits.h"

#include <stdlib.h>
#include <string.h>

#include "command/print.h"
#include "conf/value.h"

/* The description of a figure. */
static const struct figure_row {
	const char *name;
	enum value_unit unit;
	const char *label; /* before the value, for people */
	enum { SHOWN_IF_REACHED, SHOWN_ALWAYS } shown;
	enum {
		BAD_FROM, /* a value as large as the limit is bad */
		BAD_BELOW,
		BAD_IF_TRUE /* without a value: the label is enough */
	} bad;
} rows[FIGURE_COUNT] = {
    [FIGURE_OLDEST] = {"oldest", VALUE_DURATION, "oldest undelivered",
	SHOWN_ALWAYS, BAD_FROM},
    [FIGURE_BACKLOG] = {"backlog", VALUE_PLAIN, "backlog", SHOWN_ALWAYS,
	BAD_FROM},
    [FIGURE_DEAD] = {"dead", VALUE_PLAIN, "dead", SHOWN_ALWAYS, BAD_FROM},
    [FIGURE_SILENCE] = {"silence", VALUE_DURATION, "no event for", SHOWN_ALWAYS,
	BAD_FROM},
    [FIGURE_DOWN] = {"down", VALUE_DURATION, "a destination is down for",
	SHOWN_IF_REACHED, BAD_FROM},
    [FIGURE_PAUSED] = {"paused", VALUE_DURATION, "a destination is paused for",
	SHOWN_IF_REACHED, BAD_FROM},
    [FIGURE_REFUSED] = {"refused", VALUE_PLAIN, "refused", SHOWN_IF_REACHED,
	BAD_FROM},
    [FIGURE_ORPHANED] = {"orphaned", VALUE_PLAIN, "orphaned", SHOWN_IF_REACHED,
	BAD_FROM},
    [FIGURE_SIZE] = {"size", VALUE_SIZE, "size", SHOWN_IF_REACHED, BAD_FROM},
    [FIGURE_FREE] = {"free", VALUE_SIZE, "free", SHOWN_IF_REACHED, BAD_BELOW},
    [FIGURE_RELAY] = {"relay", VALUE_PLAIN,
	"no relay runs although start = never", SHOWN_IF_REACHED, BAD_IF_TRUE},
    [FIGURE_CONFIG] = {"config", VALUE_PLAIN,
	"no relay would start with the configuration", SHOWN_IF_REACHED,
	BAD_IF_TRUE},
};

const char *
level_name(enum level level)
{
	switch (level) {
	case LEVEL_OK:
		return "OK";
	case LEVEL_WARNING:
		return "WARNING";
	case LEVEL_CRITICAL:
		return "CRITICAL";
	}
	return "UNKNOWN";
}

/* ---- reading ---- */

static bool
refuse(struct buf *why, const char *part, size_t len)
{
	size_t i;

	buf_add_text(why, "\"");
	buf_add(why, part, len);
	buf_add_text(why, "\" is not a limit; write");
	for (i = 0; i < FIGURE_COUNT; i++) {
		buf_add_format(why, " %s", rows[i].name);
		if (rows[i].bad != BAD_IF_TRUE)
			buf_add_text(why, rows[i].unit == VALUE_DURATION ? "=1h"
					  : rows[i].unit == VALUE_SIZE   ? "=1G"
								       : "=1");
		buf_add_text(why, i + 2 < FIGURE_COUNT   ? ","
				  : i + 1 < FIGURE_COUNT ? " or"
							 : "");
	}
	buf_add_text(why, ", or several with commas between them");
	return false;
}

/* Returns the figure's row; FIGURE_COUNT if the name is unknown. */
static size_t
find_row(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < FIGURE_COUNT; i++)
		if (strlen(rows[i].name) == len &&
		    memcmp(rows[i].name, name, len) == 0)
			break;
	return i;
}

/* Reads `name=value` or `name`, `len` bytes. */
static bool
read_part(const char *part, size_t len, struct limits *limits)
{
	char text[64];
	size_t i, name_len;
	int64_t value = 1;
	bool has_value;

	if (len >= sizeof text)
		return false;
	memcpy(text, part, len);
	text[len] = '\0';
	name_len = strcspn(text, "=");
	has_value = text[name_len] == '=';
	i = find_row(text, name_len);
	if (i == FIGURE_COUNT || limits->at[i] != 0 ||
	    has_value == (rows[i].bad == BAD_IF_TRUE))
		return false;
	if (has_value && (value_read_number(text + name_len + 1, rows[i].unit,
			      &value) != NULL ||
			     value == 0))
		return false;
	limits->at[i] = value;
	return true;
}

bool
limits_read(const char *text, struct limits *limits, struct buf *why)
{
	size_t len;

	*limits = (struct limits){.at = {0}};
	while (text != NULL) {
		len = strcspn(text, ",");
		if (!read_part(text, len, limits))
			return refuse(why, text, len);
		text = text[len] == ',' ? text + len + 1 : NULL;
	}
	return true;
}

/* ---- judging ---- */

static bool
is_reached(enum figure figure, int64_t value, const struct limits *limits)
{
	int64_t limit = limits->at[figure];

	if (limit == 0 || value == FIGURE_UNKNOWN)
		return false;
	return rows[figure].bad == BAD_BELOW ? value < limit : value >= limit;
}

static enum level
judge_one(enum figure figure, const struct health_figures *figures,
    const struct limits *warn, const struct limits *crit)
{
	if (is_reached(figure, figures->at[figure], crit))
		return LEVEL_CRITICAL;
	return is_reached(figure, figures->at[figure], warn) ? LEVEL_WARNING
							     : LEVEL_OK;
}

enum level
limits_judge(const struct health_figures *figures, const struct limits *warn,
    const struct limits *crit)
{
	enum level worst =
	    figures->capture_problem != NULL ? LEVEL_CRITICAL : LEVEL_OK;
	enum level level;
	int i;

	for (i = 0; i < FIGURE_COUNT; i++) {
		level = judge_one((enum figure)i, figures, warn, crit);
		if (level > worst)
			worst = level;
	}
	return worst;
}

/* ---- the line ---- */

/* Appends the value in units for people. */
static void
add_value(struct buf *buf, enum figure figure, int64_t value)
{
	if (rows[figure].unit == VALUE_DURATION)
		print_add_span(buf, value);
	else if (rows[figure].unit == VALUE_SIZE)
		print_add_size(buf, value);
	else
		buf_add_format(buf, "%lld", (long long)value);
}

/* Appends `, oldest undelivered 2h 3m (critical from 1h)`. `limits` belong to
 * the level. */
static void
add_figure(struct buf *buf, enum figure figure,
    const struct health_figures *figures, enum level level,
    const struct limits *limits)
{
	const struct figure_row *row = &rows[figure];

	buf_add_format(buf, ", %s", row->label);
	if (row->bad == BAD_IF_TRUE) {
		if (figure == FIGURE_CONFIG && figures->config_problem != NULL)
			buf_add_format(buf, ": %s", figures->config_problem);
		return;
	}
	buf_add_text(buf, " ");
	add_value(buf, figure, figures->at[figure]);
	if (level == LEVEL_OK)
		return;
	buf_add_format(buf, " (%s %s ",
	    level == LEVEL_CRITICAL ? "critical" : "warning",
	    row->bad == BAD_BELOW ? "below" : "from");
	value_add_number(buf, row->unit, limits->at[figure]);
	buf_add_text(buf, ")");
}

/* Appends the figures that are as bad as `level`, each after a comma and a
 * space. */
static void
add_figures(struct buf *buf, const struct health_figures *figures,
    const struct limits *warn, const struct limits *crit, enum level level)
{
	int i;

	for (i = 0; i < FIGURE_COUNT; i++) {
		enum figure figure = (enum figure)i;

		if (judge_one(figure, figures, warn, crit) != level ||
		    figures->at[i] == FIGURE_UNKNOWN ||
		    (level == LEVEL_OK && rows[i].shown != SHOWN_ALWAYS))
			continue;
		add_figure(buf, figure, figures, level,
		    level == LEVEL_CRITICAL ? crit : warn);
	}
}

/* Appends `;` and the limit. A lower limit is an open range. */
static void
add_limit(struct buf *buf, enum figure figure, int64_t limit)
{
	buf_add_text(buf, ";");
	if (limit > 0)
		buf_add_format(buf, "%lld%s",
		    (long long)(rows[figure].unit == VALUE_DURATION
				    ? limit / 1000
				    : limit),
		    rows[figure].bad == BAD_BELOW ? ":" : "");
}

static void
add_perfdata(struct buf *buf, const struct health_figures *figures,
    const struct limits *warn, const struct limits *crit)
{
	int i;

	for (i = 0; i < FIGURE_COUNT; i++) {
		int64_t value = figures->at[i];

		buf_add_format(buf, " %s=", rows[i].name);
		if (value == FIGURE_UNKNOWN)
			buf_add_text(buf, "U");
		else if (rows[i].unit == VALUE_DURATION)
			buf_add_format(buf, "%llds", (long long)(value / 1000));
		else
			buf_add_format(buf, "%lld%s", (long long)value,
			    rows[i].unit == VALUE_SIZE ? "B" : "");
		add_limit(buf, (enum figure)i, warn->at[i]);
		add_limit(buf, (enum figure)i, crit->at[i]);
		buf_add_text(buf, ";0");
	}
}

void
limits_add_line(struct buf *buf, const struct health_figures *figures,
    const struct limits *warn, const struct limits *crit)
{
	struct buf text;
	char *words, *bar;

	buf_init(&text, PRINT_MAX_BYTES);
	if (figures->capture_problem != NULL)
		buf_add_format(
		    &text, ", cannot capture: %s", figures->capture_problem);
	add_figures(&text, figures, warn, crit, LEVEL_CRITICAL);
	add_figures(&text, figures, warn, crit, LEVEL_WARNING);
	add_figures(&text, figures, warn, crit, LEVEL_OK);
	words = buf_take(&text);
	/* A bar would end the text. */
	for (bar = words; (bar = strchr(bar, '|')) != NULL; bar++)
		*bar = '/';
	buf_add_format(buf, "HOOKSPOOL %s - ",
	    level_name(limits_judge(figures, warn, crit)));
	if (*words != '\0')
		print_add_safe(buf, words + 2, strlen(words + 2));
	buf_add_text(buf, " |");
	add_perfdata(buf, figures, warn, crit);
	free(words);
	buf_free(&text);
}
