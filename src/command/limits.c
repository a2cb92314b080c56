/*
 * Limits and levels of a monitoring plugin: see limits.h.
 */
#include "config.h"

#include "command/limits.h"

#include <string.h>

#include "command/print.h"
#include "config/value.h"

static const struct figure_row {
	const char *name;
	enum value_unit unit;
	const char *label; /* in front of the value, for people */
} rows[FIGURE_COUNT] = {
    [FIGURE_OLDEST] = {"oldest", VALUE_DURATION, "oldest undelivered"},
    [FIGURE_BACKLOG] = {"backlog", VALUE_PLAIN, "backlog"},
    [FIGURE_DEAD] = {"dead", VALUE_PLAIN, "dead"},
    [FIGURE_SILENCE] = {"silence", VALUE_DURATION, "no event for"},
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
	buf_add_text(why, "\"");
	buf_add(why, part, len);
	buf_add_text(why,
	    "\" is no limit: expected one of oldest=1h, backlog=1000, "
	    "dead=1 and silence=12h, or several with commas between them");
	return false;
}

/* `name=value` of `len` bytes. */
static bool
read_part(const char *part, size_t len, struct limits *limits)
{
	char text[64];
	size_t i, name_len;
	int64_t value = 0;

	if (len >= sizeof text)
		return false;
	memcpy(text, part, len);
	text[len] = '\0';
	name_len = strcspn(text, "=");
	for (i = 0; i < FIGURE_COUNT; i++)
		if (strlen(rows[i].name) == name_len &&
		    memcmp(rows[i].name, text, name_len) == 0)
			break;
	if (i == FIGURE_COUNT || text[name_len] != '=' || limits->at[i] != 0 ||
	    value_read_number(text + name_len + 1, rows[i].unit, &value) !=
		NULL ||
	    value == 0)
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
is_reached(int64_t value, int64_t limit)
{
	return limit > 0 && value >= limit;
}

enum level
limits_judge_one(enum figure figure, int64_t value, const struct limits *warn,
    const struct limits *crit)
{
	if (is_reached(value, crit->at[figure]))
		return LEVEL_CRITICAL;
	return is_reached(value, warn->at[figure]) ? LEVEL_WARNING : LEVEL_OK;
}

enum level
limits_judge(const int64_t *figures, const struct limits *warn,
    const struct limits *crit)
{
	enum level worst = LEVEL_OK, level;
	int i;

	for (i = 0; i < FIGURE_COUNT; i++) {
		level =
		    limits_judge_one((enum figure)i, figures[i], warn, crit);
		if (level > worst)
			worst = level;
	}
	return worst;
}

/* ---- the line ---- */

/* `oldest undelivered 2h 3m (critical from 1h)`; `limits` are those of the
 * level */
static void
add_figure(struct buf *buf, enum figure figure, int64_t value, enum level level,
    const struct limits *limits)
{
	buf_add_format(buf, "%s ", rows[figure].label);
	if (rows[figure].unit == VALUE_DURATION)
		print_add_span(buf, value);
	else
		buf_add_format(buf, "%lld", (long long)value);
	if (level == LEVEL_OK)
		return;
	buf_add_format(buf, " (%s from ",
	    level == LEVEL_CRITICAL ? "critical" : "warning");
	value_add_number(buf, rows[figure].unit, limits->at[figure]);
	buf_add_text(buf, ")");
}

static void
add_limit(struct buf *buf, enum figure figure, int64_t limit)
{
	buf_add_text(buf, ";");
	if (limit > 0)
		buf_add_format(buf, "%lld",
		    (long long)(rows[figure].unit == VALUE_DURATION
				    ? limit / 1000
				    : limit));
}

void
limits_add_line(struct buf *buf, const int64_t *figures,
    const struct limits *warn, const struct limits *crit)
{
	int i;

	buf_add_format(buf, "HOOKSPOOL %s - ",
	    level_name(limits_judge(figures, warn, crit)));
	for (i = 0; i < FIGURE_COUNT; i++) {
		enum level level =
		    limits_judge_one((enum figure)i, figures[i], warn, crit);

		if (i > 0)
			buf_add_text(buf, ", ");
		add_figure(buf, (enum figure)i, figures[i], level,
		    level == LEVEL_CRITICAL ? crit : warn);
	}
	buf_add_text(buf, " |");
	for (i = 0; i < FIGURE_COUNT; i++) {
		bool is_time = rows[i].unit == VALUE_DURATION;

		buf_add_format(buf, " %s=%lld%s", rows[i].name,
		    (long long)(is_time ? figures[i] / 1000 : figures[i]),
		    is_time ? "s" : "");
		add_limit(buf, (enum figure)i, warn->at[i]);
		add_limit(buf, (enum figure)i, crit->at[i]);
		buf_add_text(buf, ";0");
	}
}
