/*
 * The endpoint for probe and send: its URL and certificate authority. Reads
 * both while still the calling user, and shows no secret of the URL.
 */
#ifndef HOOKSPOOL_TARGET_H
#define HOOKSPOOL_TARGET_H

#include "conf/conf.h"

struct call;

/* The operand in usage lines. */
#define TARGET_OPERAND "URL|@FILE|-"

struct target {
	struct destination_config to; /* where to send; owns url and ca_pem */
	struct text_list secrets;     /* parts of the URL to hide */
};

/* Reads the URL from `operand`: the URL itself, a file after @, or standard
 * input for `-`. Reads `ca_file` (NULL: none). Returns STATUS_FINE, or another
 * status after printing the error. Always free with target_free. */
int target_read(struct target *target, const struct call *call,
    const char *operand, const char *ca_file);

void target_free(struct target *target);

#endif
