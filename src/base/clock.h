/*
 * The clocks, in milliseconds, behind one pointer that tests replace.
 */
#ifndef HOOKSPOOL_CLOCK_H
#define HOOKSPOOL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(void); /* since 1970-01-01 UTC; may step */
	int64_t (*mono_ms)(void); /* since some start; never steps back */
	int64_t (*boot_ms)(void); /* since the boot, sleep included; the same
				     in all processes; never steps */
};

/* The system's clocks, or a test's. Never NULL. */
extern const struct clock *clock_source;

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_boot_ms(void);

/* Bytes that clock_format writes at most, NUL included. */
#define CLOCK_TEXT_SIZE 32

/* Writes `wall_ms` as RFC 3339 in UTC, 2006-01-02T15:04:05.999Z, into
 * `text`, which has CLOCK_TEXT_SIZE bytes; returns `text`. */
const char *clock_format(int64_t wall_ms, char *text);

#endif
