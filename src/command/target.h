/*
 * The endpoint that probe and send are aimed at: its URL, and by which
 * authority it is verified. Reads both while it is still the user who called,
 * and shows nothing of the URL that is a secret.
 */
#ifndef HOOKSPOOL_TARGET_H
#define HOOKSPOOL_TARGET_H

#include "conf/conf.h"

struct call;

/* How its operand is shown. */
#define TARGET_OPERAND "URL|@FILE|-"

struct target {
	struct destination_config to; /* where to send; owns url and ca_pem */
	struct text_list secrets;     /* what of the URL is not to be shown */
};

/* Reads the URL that `operand` is, or that is in the file after its @, or for
 * `-` in the standard input; and `ca_file` (NULL: none). STATUS_FINE, or it
 * has said what is wrong. Freed with target_free in any case. */
int target_read(struct target *target, const struct call *call,
    const char *operand, const char *ca_file);

void target_free(struct target *target);

#endif
