/*
 * Times as people type them.
 */
#ifndef HOOKSPOOL_WHEN_H
#define HOOKSPOOL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* Reads `2h` (before `now_ms`; s, m, h, d), `2006-01-02`, `2006-01-02T15:04`
 * or `2006-01-02 15:04:05`, with Z or +01:00 at its end, else in local time.
 * False if it is none of these. */
bool when_read(const char *text, int64_t now_ms, int64_t *wall_ms);

#endif
