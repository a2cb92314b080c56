/*
 * Writes rows of the public views as JSON members. The keys are the columns;
 * absent values are null.
 */
#ifndef HOOKSPOOL_ROWS_H
#define HOOKSPOOL_ROWS_H

#include <stddef.h>

struct jsonout;
struct event_row;
struct delivery_row;
struct attempt_row;

/* Adds the members to the open object. */
void rows_event(struct jsonout *out, const struct event_row *event);

/* Add an array, the member `deliveries` or `attempts`. */
void rows_deliveries(
    struct jsonout *out, const struct delivery_row *deliveries, size_t count);
void rows_attempts(
    struct jsonout *out, const struct attempt_row *attempts, size_t count);

#endif
