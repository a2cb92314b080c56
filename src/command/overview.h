/*
 * What hookspool status shows of a site, for people and for programs; to
 * stdout.
 */
#ifndef HOOKSPOOL_OVERVIEW_H
#define HOOKSPOOL_OVERVIEW_H

#include <stdint.h>

#include "command/site.h"

/* `level` is the verdict of a plugin; NULL: none was asked for. */
void overview_print_json(
    const struct site *site, int64_t now_ms, const char *level);

/* Of a site of which there is a summary. */
void overview_print_text(const struct site *site, int64_t now_ms);

#endif
