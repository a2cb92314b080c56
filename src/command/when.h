/*
 * Reads times as people type them, and as hookspool prints them.
 */
#ifndef HOOKSPOOL_WHEN_H
#define HOOKSPOOL_WHEN_H

#include <stdint.h>

/* Reads a duration before `now_ms` (`2h`, `1h30m`; d, h, m, s in this order),
 * `today` or `yesterday` (their midnight), `2006-01-02`, `2006-01-02T15:04`,
 * `2006-01-02 15:04:05`, `2006-01-02T15:04:05.000`, or the 13 digits of
 * milliseconds since 1970. A date is in local time unless followed by Z, +01:00
 * or the name of a local zone, as in `15:04:05 CET`. Returns NULL and the time
 * in `wall_ms`, or a constant sentence that says what is wrong. Refuses times
 * before 1970. */
const char *when_read(const char *text, int64_t now_ms, int64_t *wall_ms);

#endif
