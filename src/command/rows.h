/*
 * The rows of the public views as JSON members: keys are the columns, and
 * what is absent is null.
 */
#ifndef HOOKSPOOL_ROWS_H
#define HOOKSPOOL_ROWS_H

#include <stddef.h>

struct jsonout;
struct event_row;
struct delivery_row;
struct attempt_row;

/* Into an object that is open. */
void rows_event(struct jsonout *out, const struct event_row *event);

/* As the member `deliveries` or `attempts`, an array. */
void rows_deliveries(
    struct jsonout *out, const struct delivery_row *deliveries, size_t count);
void rows_attempts(
    struct jsonout *out, const struct attempt_row *attempts, size_t count);

#endif
