/*
 * The limit of descriptors: see descriptors.h.
 */
#include "config.h"

#include "deliver/descriptors.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

/* An attempt has a connection, and a socket pair while resolving a name. The
 * rest is for the spool, the log, and libraries. */
#define PER_ATTEMPT  3
#define FOR_THE_REST 64
#define SPARE        8 /* enough for resolving a name, and more */

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
		    "the limit of open files is too low for the concurrency of "
		    "all destinations; raise LimitNOFILE= of the service, or "
		    "ulimit -n",
		    LOG_NUMBER("limit", (long long)limit.rlim_cur),
		    LOG_NUMBER("needed", (long long)needed));
}

bool
descriptors_are_short(void)
{
	int fds[SPARE];
	size_t i, count = 0;

	while (
	    count < SPARE && (fds[count] = open("/", O_PATH | O_CLOEXEC)) >= 0)
		count++;
	for (i = 0; i < count; i++)
		close(fds[i]);
	return count < SPARE;
}
