/*
 * Times as people type them: see when.h.
 */
#include "config.h"

#include "command/when.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "config/value.h"

/* Two digits, as a number; -1: they are none. */
static int
two_digits(const char *text)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

/* Z, +01:00, -0530 or nothing at the end: seconds east of UTC. */
static bool
read_zone(const char *text, bool *is_local, long *east_s)
{
	int hours, minutes;

	*is_local = *text == '\0';
	*east_s = 0;
	if (*is_local || strcmp(text, "Z") == 0)
		return true;
	if (*text != '+' && *text != '-')
		return false;
	hours = two_digits(text + 1);
	if (hours < 0)
		return false;
	minutes = two_digits(text[3] == ':' ? text + 4 : text + 3);
	if (hours > 14 || minutes < 0 || minutes > 59 ||
	    text[text[3] == ':' ? 6 : 5] != '\0')
		return false;
	*east_s = (hours * 60L + minutes) * (*text == '-' ? -60 : 60);
	return true;
}

static const char *
read_clock(const char *text, struct tm *day)
{
	const char *end;

	if (*text != 'T' && *text != ' ')
		return text;
	end = strptime(text + 1, "%H:%M", day);
	if (end != NULL && *end == ':')
		end = strptime(end + 1, "%S", day);
	return end;
}

static bool
read_date(const char *text, int64_t *wall_ms)
{
	struct tm day = {.tm_isdst = -1}, as_typed;
	const char *end = strptime(text, "%Y-%m-%d", &day);
	bool is_local;
	long east_s;
	time_t at;

	if (end != NULL)
		end = read_clock(end, &day);
	if (end == NULL || !read_zone(end, &is_local, &east_s))
		return false;
	as_typed = day;
	at = is_local ? mktime(&day) : timegm(&day);
	if (day.tm_mday != as_typed.tm_mday) /* the 31st of February */
		return false;
	*wall_ms = ((int64_t)at - east_s) * 1000;
	return true;
}

bool
when_read(const char *text, int64_t now_ms, int64_t *wall_ms)
{
	int64_t span_ms;

	if (value_read_number(text, VALUE_DURATION, &span_ms) == NULL) {
		*wall_ms = span_ms < now_ms ? now_ms - span_ms : 0;
		return true;
	}
	return read_date(text, wall_ms);
}
