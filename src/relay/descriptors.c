/*
 * How many descriptors the process may have: see descriptors.h.
 */
#include "config.h"

#include "relay/descriptors.h"

#include <sys/resource.h>

#include "base/log.h"

/* An attempt has its connection, and while it looks up a name a socket pair;
 * the rest is for the spool, the log, and what libraries open. */
#define PER_ATTEMPT  3
#define FOR_THE_REST 64

void
descriptors_raise(int in_flight_max)
{
	rlim_t needed = (rlim_t)in_flight_max * PER_ATTEMPT + FOR_THE_REST;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
		return;
	limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < needed)
		log_note(LOG_LEVEL_WARN,
		    "the limit of descriptors is low for the concurrency of "
		    "all destinations: attempts may fail",
		    LOG_NUMBER("limit", (long long)limit.rlim_cur),
		    LOG_NUMBER("needed", (long long)needed));
}
