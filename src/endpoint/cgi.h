/*
 * A request that came as plain CGI (RFC 3875): variables from the
 * environment, the body from descriptor 0, the answer to descriptor 1.
 */
#ifndef HOOKSPOOL_CGI_H
#define HOOKSPOOL_CGI_H

#include <stdbool.h>

#include "endpoint/answer.h"
#include "endpoint/exchange.h"

/* Whether this process was started for one CGI request. Then its arguments
 * are a stranger's: Apache makes them from a query without `=`. */
bool cgi_is_request(void);

/* The request of this process. */
struct exchange cgi_exchange(void);

/* Writes the answer and closes descriptors 0 and 1, so that the web server
 * waits for us no longer. */
void cgi_answer(const struct answer *answer);

#endif
