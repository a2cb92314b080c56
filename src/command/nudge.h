/*
 * Notifies the relay of a change, or starts one.
 */
#ifndef HOOKSPOOL_NUDGE_H
#define HOOKSPOOL_NUDGE_H

#include "command/command.h"

enum nudge {
	NUDGE_WOKEN,   /* a relay runs and will look */
	NUDGE_STARTED, /* none ran, and relays start on demand */
	NUDGE_NOBODY   /* none runs or can be reached */
};

/* Notifies or starts the relay. Closes the spool first, since a started relay
 * must not inherit an open spool. */
enum nudge nudge_relay(struct call *call);

/* Returns `woken`, `started` or `not running`. */
const char *nudge_name(enum nudge nudge);

/* Prints the result for people, if worth a line. */
void nudge_print(enum nudge nudge);

#endif
