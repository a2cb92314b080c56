/*
 * Reads times as people type them: see when.h.
 */
#include "config.h"

#include "command/when.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define DAY_MS           INT64_C(86400000)
#define MS_DIGITS        13 /* in the years 2001 to 2286 */
#define DURATION_MAX_MS  (INT64_MAX / 100)
#define ZONE_MAX_HOURS   14
#define LAST_SECOND      59
#define FRACTION_MAX     9 /* digits */
#define FRACTION_MS_TENS 100

static const char is_unknown[] =
    "is not a time; write 2h, 1h30m, today, 2006-01-02 or 2006-01-02T15:04";
static const char is_too_old[] = "is before 1970; write a later time";
static const char is_bare_number[] = "has no unit; write 30m, 2h or 7d, or "
				     "milliseconds since 1970 with 13 digits";
static const char is_short_year[] =
    "has no year of four digits; write the date as 2006-01-02";
static const char is_no_day[] = "is not a date; that month has no such day";

/* ---- pieces: each moves `at` past its text ---- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
take(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	++*at;
	return true;
}

/* Takes a number of exactly `digits` digits, from `least` to `most`. */
static bool
take_number(const char **at, int digits, int least, int most, int *number)
{
	*number = 0;
	for (; digits > 0; digits--) {
		if (!is_digit(**at))
			return false;
		*number = *number * 10 + (*(*at)++ - '0');
	}
	return *number >= least && *number <= most;
}

static bool
take_day(const char **at, struct tm *day)
{
	int year, month;

	if (!take_number(at, 4, 0, 9999, &year) || !take(at, '-') ||
	    !take_number(at, 2, 1, 12, &month) || !take(at, '-') ||
	    !take_number(at, 2, 1, 31, &day->tm_mday))
		return false;
	day->tm_year = year - 1900;
	day->tm_mon = month - 1;
	return true;
}

/* Takes the digits of a fraction of a second, cut to milliseconds. */
static bool
take_fraction(const char **at, int *ms)
{
	int tens = FRACTION_MS_TENS, digits = 0;

	for (*ms = 0; is_digit(**at); digits++, tens /= 10)
		*ms += (*(*at)++ - '0') * tens;
	return digits > 0 && digits <= FRACTION_MAX;
}

/* Takes `T15:04`, ` 15:04:05`, `T15:04:05.000`, or nothing. */
static bool
take_clock(const char **at, struct tm *day, int *ms)
{
	*ms = 0;
	if (**at != 'T' && (**at != ' ' || !is_digit((*at)[1])))
		return true;
	++*at;
	if (!take_number(at, 2, 0, 23, &day->tm_hour) || !take(at, ':') ||
	    !take_number(at, 2, 0, 59, &day->tm_min))
		return false;
	if (!take(at, ':'))
		return true;
	if (!take_number(at, 2, 0, LAST_SECOND, &day->tm_sec))
		return false;
	return !take(at, '.') || take_fraction(at, ms);
}

/* ---- zones ---- */

/* Reads local time in the zone of that name; NULL: in the zone valid then. */
static bool
read_local(struct tm *day, const char *zone, time_t *at)
{
	int is_dst;

	day->tm_isdst = -1;
	if (zone == NULL) {
		*at = mktime(day);
		return true;
	}
	for (is_dst = 0; is_dst <= 1; is_dst++) {
		struct tm tried = *day;

		tried.tm_isdst = is_dst;
		*at = mktime(&tried);
		if (tried.tm_isdst == is_dst &&
		    strcmp(tried.tm_zone, zone) == 0) {
			*day = tried;
			return true;
		}
	}
	return false;
}

/* Reads `+01:00` or `-0530`. */
static bool
read_offset(const char *zone, long *east_s)
{
	int hours, minutes, sign = *zone == '-' ? -1 : 1;

	zone++;
	if (!take_number(&zone, 2, 0, ZONE_MAX_HOURS, &hours))
		return false;
	take(&zone, ':');
	if (!take_number(&zone, 2, 0, 59, &minutes) || *zone != '\0')
		return false;
	*east_s = sign * (hours * 60L + minutes) * 60;
	return true;
}

/* Reads the zone: "", Z, an offset, or a blank and a zone's name. */
static bool
read_in_zone(struct tm *day, const char *zone, time_t *at)
{
	long east_s = 0;

	if (*zone == '\0')
		return read_local(day, NULL, at);
	if (*zone == ' ' && strcmp(zone, " UTC") != 0)
		return read_local(day, zone + 1, at);
	if (*zone == '+' || *zone == '-') {
		if (!read_offset(zone, &east_s))
			return false;
	} else if (strcmp(zone, "Z") != 0 && *zone != ' ') {
		return false;
	}
	*at = timegm(day) - east_s;
	return true;
}

/* ---- forms ---- */

static const char *
read_date(const char *text, int64_t *wall_ms)
{
	struct tm day = {0};
	int mday, ms;
	time_t at = 0;

	if (!take_day(&text, &day) || !take_clock(&text, &day, &ms))
		return is_unknown;
	mday = day.tm_mday;
	if (!read_in_zone(&day, text, &at))
		return is_unknown;
	if (day.tm_mday != mday) /* no such day, like the 31st of February */
		return is_no_day;
	*wall_ms = (int64_t)at * 1000 + ms;
	return NULL;
}

/* Reads `1h30m`: each unit once, the largest first. */
static const char *
read_duration(const char *text, int64_t now_ms, int64_t *wall_ms)
{
	static const struct {
		char letter;
		int64_t ms;
	} units[] = {{'d', DAY_MS}, {'h', 3600000}, {'m', 60000}, {'s', 1000}};
	size_t unit = 0, count = sizeof units / sizeof units[0];
	int64_t span_ms = 0, number;

	while (*text != '\0') {
		if (unit > 0 && *text == ' ') /* as printed by status: 2h 3m */
			text++;
		if (!is_digit(*text))
			return is_unknown;
		for (number = 0; is_digit(*text); text++) {
			if (number > DURATION_MAX_MS / DAY_MS)
				return is_too_old;
			number = number * 10 + (*text - '0');
		}
		while (unit < count && units[unit].letter != *text)
			unit++;
		if (unit == count)
			return is_unknown;
		span_ms += number * units[unit++].ms;
		text++;
	}
	*wall_ms = now_ms - span_ms;
	return NULL;
}

/* Sets `wall_ms` to the midnight at the start of the local day, or of an
 * earlier day. */
static void
read_midnight(int64_t now_ms, int days_ago, int64_t *wall_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm day;

	localtime_r(&now, &day);
	day.tm_mday -= days_ago;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	*wall_ms = (int64_t)mktime(&day) * 1000;
}

static const char *
read_bare_number(const char *digits, int64_t now_ms, int64_t *wall_ms)
{
	*wall_ms = now_ms;
	if (strcmp(digits, "0") == 0) /* the only duration without a unit */
		return NULL;
	if (strlen(digits) != MS_DIGITS)
		return is_bare_number;
	for (*wall_ms = 0; *digits != '\0'; digits++)
		*wall_ms = *wall_ms * 10 + (*digits - '0');
	return NULL;
}

static const char *
read_form(const char *text, int64_t now_ms, int64_t *wall_ms)
{
	size_t digits = strspn(text, "0123456789");

	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
		read_midnight(now_ms, *text == 'y' ? 1 : 0, wall_ms);
		return NULL;
	}
	if (digits == 0)
		return is_unknown;
	if (text[digits] == '\0')
		return read_bare_number(text, now_ms, wall_ms);
	if (text[digits] == '-')
		return digits == 4 ? read_date(text, wall_ms) : is_short_year;
	return read_duration(text, now_ms, wall_ms);
}

const char *
when_read(const char *text, int64_t now_ms, int64_t *wall_ms)
{
	const char *why = read_form(text, now_ms, wall_ms);

	return why == NULL && *wall_ms < 0 ? is_too_old : why;
}
