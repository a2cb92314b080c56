/*
 * The relay's work: routes new events, claims and tries due deliveries, settles
 * outcomes. Knows nothing of the process: no signals, sockets, locks or exit.
 */
#ifndef HOOKSPOOL_WORK_H
#define HOOKSPOOL_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/bodies.h"
#include "relay/destinations.h"
#include "relay/routing.h"
#include "spool/spool.h"

struct claim;
struct config;
struct deliver;

struct work {
	struct store *store; /* borrowed */
	struct deliver *deliver;
	struct destinations destinations;
	struct routing routing;
	struct bodies bodies;
	bool is_state_unread;   /* another process may have paused or resumed */
	bool is_closing;        /* claim and route nothing more */
	struct claim *finished; /* to be settled, oldest first */
	struct claim **finished_end;
	struct claim *flying;  /* running, newest first */
	int64_t retry_mono_ms; /* when to try the full or busy spool again;
				  0: usable */
};

/* Tells the spool the destinations and prepares everything. Holds `config` as
 * long as a destination or an attempt needs it. Leaves nothing open unless
 * STORE_OK. */
enum store_status work_open(
    struct work *work, const struct config *config, struct store *store);

/* Switches to another configuration. Running attempts keep the old one. Changes
 * nothing unless STORE_OK. */
enum store_status work_reload(struct work *work, const struct config *config);

/* Breaks off running attempts, forgets them, and frees everything.
 * NULL-safe. */
void work_close(struct work *work);

/* Expects new events, and no other change. */
void work_look_for_new(struct work *work);

/* Expects any change: examines every destination again. */
void work_look_again(struct work *work);

/* Does everything due. Sets `wait_ms` to the time until more is due; INT64_MAX:
 * until an attempt ends or work_look_again. Waits only for the spool. Tries a
 * full or busy spool again later; claims stay until their outcomes are
 * recorded. STORE_FAILED: the process must end. */
enum store_status work_turn(struct work *work, int64_t *wait_ms);

/* Returns whether there is nothing to do now or, as far as is known, ever.
 * Deliveries of a paused destination are nothing to do. */
bool work_is_idle(const struct work *work);

/* Returns whether outcomes are still to come or to be recorded. */
bool work_is_unfinished(const struct work *work);

/* Breaks off running attempts, which do not count. The next turn settles
 * them. */
void work_abandon(struct work *work);

#endif
