/*
 * Checks whether a URL can be reached with a good certificate, and words the
 * result: for `check`, which tries many at once, and for `probe`. Sends no
 * request.
 */
#ifndef HOOKSPOOL_REACH_H
#define HOOKSPOOL_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "deliver/deliver.h"
#include "deliver/inspect.h"

/* One URL to check. */
struct reach {
	struct destination_config to; /* a copy with borrowed members */
	bool is_ours; /* an endpoint, whose server the reader runs; else a
			 destination */
	struct look look;
	struct deliver_result result;
};

/* Checks all URLs at once, each for at most its timeout. Repeats those with a
 * refused certificate, to see the certificate. */
void reach_all(struct reach *reaches, size_t count);

/* Append what was seen, good or bad; and what to do about a fault. */
void reach_add_seen(struct buf *buf, const struct reach *reach);
void reach_add_advice(struct buf *buf, const struct reach *reach);

/* Returns the URL's host, without port and brackets. The caller frees the
 * text. */
char *reach_host_dup(const char *url);

bool reach_is_https(const struct reach *reach);

/* Returns whether the certificate should be renewed soon. */
bool reach_expires_soon(const struct reach *reach);

#endif
