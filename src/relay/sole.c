/*
 * Takes the relay lock: see sole.h.
 */
#include "config.h"

#include "relay/sole.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "conf/conf.h"
#include "relay/relay.h"
#include "spool/spool.h"

#define LOCK_WAIT_MS     5000
#define LOCK_PATIENCE_MS (3600 * INT64_C(1000)) /* per try; repeated */

/* The modes' names in relay.lock. */
static const char *const roles[] = {[RELAY_FOREGROUND] = "foreground",
    [RELAY_ON_DEMAND] = "on-demand",
    [RELAY_IF_PENDING] = "if-pending"};

int
sole_take_lock(const struct relay_options *options)
{
	const char *path = options->config->spool.path;
	const char *role = roles[options->mode];
	int fd;

	if (options->mode == RELAY_IF_PENDING)
		return store_lock_relay(path, 0, role);
	if (options->patience == RELAY_GIVE_UP)
		return store_lock_relay(path, LOCK_WAIT_MS, role);
	while ((fd = store_lock_relay(path, LOCK_PATIENCE_MS, role)) < 0) {
		if (errno == EALREADY)
			poll(NULL, 0, 1000); /* another process waits before
						us */
		else if (errno != EWOULDBLOCK)
			break;
	}
	return fd;
}

int
sole_explain(const char *path, int error)
{
	if (error == EWOULDBLOCK || error == EALREADY) {
		log_note(LOG_LEVEL_NOTICE, "another relay uses this spool",
		    LOG_TEXT("spool", path));
		return EX_OK;
	}
	log_note(LOG_LEVEL_ERROR,
	    "the relay's lock cannot be taken; if there is no spool yet, run "
	    "`hookspool init`",
	    LOG_TEXT("spool", path), LOG_TEXT("error", strerror(error)));
	return 1;
}
