/*
 * What is wrong with the configuration and the spool: logged once, however
 * often it is found, until it is so no more or is another thing.
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

/* All zero: there are none. Freed by complaint_free. */
struct complaints {
	char *logged[COMPLAINT_COUNT]; /* as last logged; NULL: none */
};

void complaint_make(struct complaints *complaints, enum complaint complaint,
    const struct buf *why);
void complaint_withdraw(
    struct complaints *complaints, enum complaint complaint);

/* Logs once more what there is. */
void complaint_repeat(const struct complaints *complaints);

/* Logs what a configuration that is taken up lacks. */
void complaint_about_secrets(const struct endpoint_config *endpoint);

void complaint_free(struct complaints *complaints);

#endif
