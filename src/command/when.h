/*
 * Times as people type them, and as we print them.
 */
#ifndef HOOKSPOOL_WHEN_H
#define HOOKSPOOL_WHEN_H

#include <stdint.h>

/* Reads a duration before `now_ms` (`2h`, `1h30m`; d, h, m, s in this order),
 * `today` or `yesterday` (their midnight), `2006-01-02`, `2006-01-02T15:04`,
 * `2006-01-02 15:04:05`, `2006-01-02T15:04:05.000`, or the 13 digits of
 * milliseconds since 1970. A date is in local time unless Z, +01:00 or a
 * local zone's name, as in `15:04:05 CET`, follows. NULL: `wall_ms` is the
 * time, 0 or later. Otherwise the constant sentence that says what is wrong;
 * no time before 1970 is taken. */
const char *when_read(const char *text, int64_t now_ms, int64_t *wall_ms);

#endif
