/*
 * The HTTP contract (design 3): the checks in their order, one function for
 * each row. Knows neither FastCGI nor CGI. No request, however hostile, ends
 * the process or makes this hold more than max_body + 1 bytes of it.
 */
#ifndef HOOKSPOOL_REQUEST_H
#define HOOKSPOOL_REQUEST_H

#include <stdbool.h>

#include "endpoint/answer.h"
#include "endpoint/exchange.h"
#include "endpoint/settings.h"

/* Decides the answer to a request, into an `answer` that was initialised, and
 * captures its event: true if there is one, committed. Opens the spool for the
 * view if it has none and the request gets that far. Logs one line for a
 * refusal and one for an event. */
bool request_handle(struct exchange *exchange, struct settings_view *view,
    struct answer *answer);

#endif
