/*
 * The clocks: see clock.h.
 */
#include "config.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t
read_ms(clockid_t id)
{
	struct timespec now;

	if (clock_gettime(id, &now) != 0)
		return 0; /* cannot happen for the ids used here */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
system_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

static int64_t
system_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

static int64_t
system_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

static const struct clock system_clock = {
    system_wall_ms, system_mono_ms, system_boot_ms};

const struct clock *clock_source = &system_clock;

int64_t
clock_wall_ms(void)
{
	return clock_source->wall_ms();
}

int64_t
clock_mono_ms(void)
{
	return clock_source->mono_ms();
}

int64_t
clock_boot_ms(void)
{
	return clock_source->boot_ms();
}

const char *
clock_format(int64_t wall_ms, char *text)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	int ms = (int)(wall_ms % 1000);
	struct tm utc;
	char day[24];

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	if (gmtime_r(&seconds, &utc) == NULL ||
	    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		snprintf(day, sizeof day, "0000-00-00T00:00:00");
	snprintf(text, CLOCK_TEXT_SIZE, "%s.%03dZ", day, ms);
	return text;
}
