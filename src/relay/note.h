/*
 * Log lines about deliveries and destinations, one for each change of state.
 * The failures of a down destination are silent, except for a summary when the
 * destination goes down, each hour, and when it is back. Never logs a payload
 * or a URL, which may hold a password.
 */
#ifndef HOOKSPOOL_NOTE_H
#define HOOKSPOOL_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

struct claim;
struct queue;

/* Logs the outcome of a settled claim; `is_applied` as in struct settlement. */
void note_outcome(const struct claim *claim, bool is_applied);

/* Returns whether an attempt changed its destination's health, for note_news to
 * log. */
bool note_has_news(const struct claim *claim);

/* Logs the change. `waiting` is the number of pending deliveries there; -1:
 * unknown. `store` converts its times to the wall clock. */
void note_news(
    const struct claim *claim, const struct store *store, int64_t waiting);

/* Calls store_note_clock; logs a step of the wall clock. */
enum store_status note_clock(struct store *store, int64_t every_ms);

/* Log a pause or resume by the operator. */
void note_paused(const struct queue *queue, const char *reason);
void note_resumed(const struct queue *queue);

/* Logs that a reload added the destination, or removed it. */
void note_configured(const struct queue *queue, bool is_added);

#endif
