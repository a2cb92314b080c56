/*
 * What a change of the spool's path leaves behind in the old one.
 */
#ifndef HOOKSPOOL_MOVED_H
#define HOOKSPOOL_MOVED_H

#include "conf/conf.h"

/* Logs what waits in the spool folder `old`, now that `config` has another
 * one, and what to do about it. Keeps `config` in `old` as well, so that
 * whoever looks there for the last good configuration is led to the new spool.
 */
void moved_from(const char *old, const struct config *config);

#endif
