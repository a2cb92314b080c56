/*
 * Whether a URL can be reached and shows a good certificate, and the
 * sentences that say so: for `check`, which looks at many at once, and for
 * `probe`. No request is sent.
 */
#ifndef HOOKSPOOL_REACH_H
#define HOOKSPOOL_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "relay/deliver.h"
#include "relay/look.h"

/* One place to look at. */
struct reach {
	struct destination_config to; /* a copy, whose parts are borrowed */
	bool is_ours; /* the endpoint, whose server the reader runs; else a
			 destination */
	struct look look;
	struct deliver_result result;
};

/* Looks at all of them at once, each for at most its timeout, and once more
 * at those whose certificate was refused, to see it. */
void reach_all(struct reach *reaches, size_t count);

/* Each appends: what was seen, good or bad; what to do where it is bad. */
void reach_add_seen(struct buf *buf, const struct reach *reach);
void reach_add_advice(struct buf *buf, const struct reach *reach);

/* The host of the URL, without port and brackets. The caller frees. */
char *reach_host_dup(const char *url);

bool reach_is_https(const struct reach *reach);

/* Whether the certificate should be looked after by now. */
bool reach_expires_soon(const struct reach *reach);

#endif
