/*
 * Prints the status of a site to stdout, for people and for programs.
 */
#ifndef HOOKSPOOL_OVERVIEW_H
#define HOOKSPOOL_OVERVIEW_H

#include <stdint.h>

#include "command/site.h"

/* `level` is the plugin's level; NULL: not a plugin. */
void overview_print_json(
    const struct site *site, int64_t now_ms, const char *level);

/* The site must have a summary. */
void overview_print_text(const struct site *site, int64_t now_ms);

#endif
