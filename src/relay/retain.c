/*
 * Applies retention: see retain.h.
 */
#include "config.h"

#include "relay/retain.h"

#include "base/log.h"
#include "conf/conf.h"

enum store_status
retain_step(struct store *store, const struct spool_config *spool,
    int64_t *erased_events, bool *is_more)
{
	struct retention retention = {.now_ms = store_now_ms(store),
	    .retain_ms = spool->retain_ms,
	    .retain_dead_ms = spool->retain_dead_ms,
	    .retain_refused_ms = spool->retain_refused_ms};
	enum store_status status;
	int64_t erased = 0;

	*is_more = false;
	status = store_erase_old(store, &retention, &erased, is_more);
	if (status == STORE_BUSY || status == STORE_FULL) {
		*is_more = false;
		status = STORE_OK;
	}
	*erased_events += erased;
	if (!*is_more && *erased_events > 0) {
		log_note(LOG_LEVEL_NOTICE, "old events erased",
		    LOG_NUMBER("events", *erased_events));
		*erased_events = 0;
	}
	return status;
}
