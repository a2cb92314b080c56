/*
 * Gives up root: root reads the configuration, but only the spool's owner uses
 * the spool.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"

static bool
drop(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
		return false;
	errno = EPERM;
	return uid == 0 || setuid(0) != 0; /* cannot become root again */
}

bool
owner_become(const char *folder, struct buf *why)
{
	struct stat st;

	if (geteuid() != 0)
		return true;
	if (stat(folder, &st) != 0) {
		buf_add_format(why,
		    "%s: %s; mount it, or create the first spool with: "
		    "hookspool init",
		    folder, strerror(errno));
		return false;
	}
	if (drop(st.st_uid, st.st_gid))
		return true;
	buf_add_format(why, "%s: cannot become its owner (uid %ld): %s", folder,
	    (long)st.st_uid, strerror(errno));
	return false;
}
