/*
 * The relay's work: what is new is routed, what is due is claimed and tried,
 * what came of it is settled. Knows no process matters: no signals, sockets,
 * locks or exit.
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
	bool is_state_unread;   /* somebody may have paused or resumed */
	bool is_closing;        /* claim and route nothing more */
	struct claim *finished; /* wait to be settled, oldest first */
	struct claim **finished_end;
	struct claim *flying;  /* are under way, the newest first */
	int64_t retry_mono_ms; /* the spool was full or busy: try it again
				  then; 0: it was not */
};

/* Tells the spool the destinations and makes all ready. Holds `config` for as
 * long as a destination or an attempt needs it. On anything but STORE_OK
 * nothing was made. */
enum store_status work_open(
    struct work *work, const struct config *config, struct store *store);

/* Goes on with another configuration. What is under way ends as it was begun.
 * On anything but STORE_OK nothing has changed. */
enum store_status work_reload(struct work *work, const struct config *config);

/* NULL-safe. What is under way is broken off and forgotten. */
void work_close(struct work *work);

/* An event may be new, and nothing else has changed. */
void work_look_for_new(struct work *work);

/* Anything may have changed: looks at every destination again. */
void work_look_again(struct work *work);

/* Does all that is due and says in `wait_ms` how long until there is more,
 * INT64_MAX: not before an attempt ends or work_look_again. Waits for nothing
 * but the spool. A spool that is full or busy is tried again later, and what
 * was claimed stays claimed until its outcome is recorded. STORE_FAILED:
 * the process must end. */
enum store_status work_turn(struct work *work, int64_t *wait_ms);

/* Whether there is nothing to do now or, as far as is known, ever. What a
 * paused destination waits for is nothing to do. */
bool work_is_idle(const struct work *work);

/* Whether outcomes are still to come or to be recorded. */
bool work_is_unfinished(const struct work *work);

/* Breaks off the attempts that are under way; they do not count. The next
 * turn settles them. */
void work_abandon(struct work *work);

#endif
