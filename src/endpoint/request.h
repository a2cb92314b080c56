/*
 * The HTTP contract (design 3): checks in order, one function per row. Knows
 * neither FastCGI nor CGI. No request, however hostile, ends the process or
 * makes it hold more than max_body + 1 bytes of the body.
 */
#ifndef HOOKSPOOL_REQUEST_H
#define HOOKSPOOL_REQUEST_H

#include <stdbool.h>

#include "web/answer.h"
#include "web/exchange.h"
#include "endpoint/settings.h"

/* Decides the answer to a request, and captures its event. `answer` must be
 * initialised. Returns true if an event was committed. Opens the spool for a
 * view without one, if the request gets that far. Logs one line for a refusal
 * and one for an event. */
bool request_handle(struct exchange *exchange, struct settings_view *view,
    struct answer *answer);

#endif
