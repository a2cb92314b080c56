/*
 * A request by plain CGI (RFC 3875): variables from the environment, the body
 * from descriptor 0, the answer to descriptor 1.
 */
#ifndef HOOKSPOOL_CGI_H
#define HOOKSPOOL_CGI_H

#include <stdbool.h>

#include "web/answer.h"
#include "web/exchange.h"

/* Returns whether this process was started for one CGI request. Such a process
 * must not read its arguments: a stranger may have written them, as Apache
 * passes a query without `=` in the arguments. */
bool cgi_is_request(void);

/* Returns this process's request. */
struct exchange cgi_exchange(void);

/* Writes the answer and closes descriptors 0 and 1, so the web server waits no
 * longer. */
void cgi_answer(const struct answer *answer);

#endif
