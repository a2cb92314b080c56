/*
 * Shows events as they come, for `hookspool list --follow`.
 */
#ifndef HOOKSPOOL_FOLLOW_H
#define HOOKSPOOL_FOLLOW_H

#include <stdbool.h>

struct call;

/* Shows the newest events that match call->filter, oldest first, then each new
 * one until SIGINT, SIGTERM or SIGHUP. Returns the exit status. */
int follow(struct call *call, bool is_json);

#endif
