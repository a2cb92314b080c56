/*
 * hookspool status as a monitoring plugin: the figures of the site, and the
 * line that compares them with limits.
 */
#ifndef HOOKSPOOL_PLUGIN_H
#define HOOKSPOOL_PLUGIN_H

#include <stdint.h>

#include "command/limits.h"
#include "command/site.h"

/* The verdict; `warn` and `crit` are limits that limits_read takes, NULL:
 * none. */
enum level plugin_judge(const char *warn, const char *crit,
    const struct site *site, int64_t now_ms);

/* Prints the line. */
void plugin_print(const char *warn, const char *crit, const struct site *site,
    int64_t now_ms);

#endif
