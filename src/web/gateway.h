/*
 * FastCGI: one accepted connection and its requests, one after the other. The
 * only file that sees libfcgi. The watchdog gives every wait a total deadline.
 * Accepts no connections; closes the one passed to gateway_open.
 */
#ifndef HOOKSPOOL_GATEWAY_H
#define HOOKSPOOL_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "web/answer.h"
#include "web/exchange.h"
#include "web/watchdog.h"

struct gateway;

/* Prepares libfcgi; call once, before any thread. Returns false if libfcgi
 * cannot work here. libfcgi replaces the handlers of SIGPIPE, SIGTERM and
 * SIGUSR1. */
bool gateway_start(void);

/* Makes what worker number `worker` needs to serve connections. Free with
 * gateway_free. */
struct gateway *gateway_new(struct watchdog *dog, size_t worker);
void gateway_free(struct gateway *gateway);

/* Takes over the connection `fd`. */
void gateway_open(struct gateway *gateway, int fd);

/* Reads a request's variables within `timeout_ms`. Returns NULL if none came;
 * the connection is then of no more use. Log lines of this thread go to the web
 * server's error log until gateway_answer. */
struct exchange *gateway_next(struct gateway *gateway, int64_t timeout_ms);

/* Sends the answer within `timeout_ms` and ends the request. Returns false if
 * the connection cannot carry another request. */
bool gateway_answer(
    struct gateway *gateway, const struct answer *answer, int64_t timeout_ms);

/* Closes the connection. */
void gateway_close(struct gateway *gateway);

#endif
