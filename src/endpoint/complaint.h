/*
 * Logs faults of the configuration and the spool: each once, however often
 * found, until the fault ends or changes.
 */
#ifndef HOOKSPOOL_COMPLAINT_H
#define HOOKSPOOL_COMPLAINT_H

#include "base/buf.h"
#include "conf/conf.h"

enum complaint {
	COMPLAINT_CONFIG,
	COMPLAINT_SECRETS,
	COMPLAINT_STORE,
	COMPLAINT_KEEP,
	COMPLAINT_COUNT
};

/* Zeroed: no complaints. Freed by complaint_free. */
struct complaints {
	char *logged[COMPLAINT_COUNT]; /* text last logged; NULL: none */
};

void complaint_make(struct complaints *complaints, enum complaint complaint,
    const struct buf *why);
void complaint_withdraw(
    struct complaints *complaints, enum complaint complaint);

/* Logs all current complaints again. */
void complaint_repeat(const struct complaints *complaints);

/* Logs what a newly used configuration lacks. */
void complaint_about_secrets(const struct endpoint_config *endpoint);

void complaint_free(struct complaints *complaints);

#endif
