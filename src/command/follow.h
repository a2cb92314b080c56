/*
 * Events as they come: what `hookspool list --follow` does.
 */
#ifndef HOOKSPOOL_FOLLOW_H
#define HOOKSPOOL_FOLLOW_H

#include <stdbool.h>

struct call;

/* Shows the newest events that match call->filter, the oldest of these first,
 * then each one that is captured, until SIGINT, SIGTERM or SIGHUP. Returns the
 * exit status. */
int follow(struct call *call, bool is_json);

#endif
