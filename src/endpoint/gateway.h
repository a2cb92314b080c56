/*
 * FastCGI: one accepted connection and the requests that come over it, one
 * after the other. The only file that sees libfcgi. Every wait has a total
 * deadline, by the watchdog. It accepts no connection itself; it closes the
 * one it was given.
 */
#ifndef HOOKSPOOL_GATEWAY_H
#define HOOKSPOOL_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint/answer.h"
#include "endpoint/exchange.h"
#include "endpoint/watchdog.h"

struct gateway;

/* Once, before any thread. False if libfcgi cannot work here. Replaces the
 * handlers of SIGPIPE, SIGTERM and SIGUSR1 with its own. */
bool gateway_start(void);

/* What worker number `worker` serves its connections with. Freed with
 * gateway_free. */
struct gateway *gateway_new(struct watchdog *dog, size_t worker);
void gateway_free(struct gateway *gateway);

/* Takes the connection `fd` over. */
void gateway_open(struct gateway *gateway, int fd);

/* Reads a request's variables, within `timeout_ms`. NULL if none came: the
 * connection is of no more use. Until gateway_answer, log lines of this
 * thread go to the web server's error log. */
struct exchange *gateway_next(struct gateway *gateway, int64_t timeout_ms);

/* Sends the answer, within `timeout_ms`, and ends the request. False if the
 * connection cannot carry another one. */
bool gateway_answer(
    struct gateway *gateway, const struct answer *answer, int64_t timeout_ms);

/* Closes the connection. */
void gateway_close(struct gateway *gateway);

#endif
