/*
 * What the log says of deliveries and destinations: a line for each change of
 * state. While a destination is down its failures are silent, but for a
 * summary when it goes down, each hour, and when it is back. Never a payload,
 * and never a URL: it may hold a password.
 */
#ifndef HOOKSPOOL_NOTE_H
#define HOOKSPOOL_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

struct claim;
struct queue;

/* Logs the outcome of a claim that was settled; `is_applied` as in struct
 * settlement. */
void note_outcome(const struct claim *claim, bool is_applied);

/* Whether an attempt changed how its destination fares, so that note_news has
 * something to say. */
bool note_has_news(const struct claim *claim);

/* Logs that; `waiting` is how many deliveries are pending there; -1: that is
 * not known. `store` says what the wall clock says at its times. */
void note_news(
    const struct claim *claim, const struct store *store, int64_t waiting);

/* store_note_clock; logs a step of the wall clock. */
enum store_status note_clock(struct store *store, int64_t every_ms);

/* It was paused, or resumed, by the operator. */
void note_paused(const struct queue *queue, const char *reason);
void note_resumed(const struct queue *queue);

/* A reload added it, or else removed it. */
void note_configured(const struct queue *queue, bool is_added);

#endif
