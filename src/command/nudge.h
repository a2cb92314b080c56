/*
 * After a change: the relay is told to look, or started.
 */
#ifndef HOOKSPOOL_NUDGE_H
#define HOOKSPOOL_NUDGE_H

#include "command/command.h"

enum nudge {
	NUDGE_WOKEN,   /* a relay runs and will look */
	NUDGE_STARTED, /* none ran, and `start` says on-demand */
	NUDGE_NOBODY   /* none runs, or it cannot be reached */
};

/* Closes the spool, since a relay may be started. */
enum nudge nudge_relay(struct call *call);

/* `woken`, `started`, `not running` */
const char *nudge_name(enum nudge nudge);

/* Says so for people where there is something to say. */
void nudge_print(enum nudge nudge);

#endif
