/*
 * hookspool status as a monitoring plugin: takes the site's figures and
 * compares them with limits.
 */
#ifndef HOOKSPOOL_PLUGIN_H
#define HOOKSPOOL_PLUGIN_H

#include <stdint.h>

#include "command/limits.h"
#include "command/site.h"

/* Returns the level. `warn` and `crit` are limits for limits_read; NULL:
 * none. */
enum level plugin_judge(const char *warn, const char *crit,
    const struct site *site, int64_t now_ms);

/* Prints the plugin's line. */
void plugin_print(const char *warn, const char *crit, const struct site *site,
    int64_t now_ms);

#endif
