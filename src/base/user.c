/*
 * Names of users and groups: see user.h.
 */
#include "config.h"

#include "base/user.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>

#include "base/xalloc.h"

#define ENTRY_MAX_BYTES 16384 /* a larger entry counts as missing */

char *
user_name_dup(uid_t uid)
{
	char bytes[ENTRY_MAX_BYTES];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, bytes, sizeof bytes, &found) == 0 &&
	    found != NULL)
		return xstrdup(found->pw_name);
	return xasprintf("%ld", (long)uid);
}

char *
group_name_dup(gid_t gid)
{
	char bytes[ENTRY_MAX_BYTES];
	struct group entry, *found = NULL;

	if (getgrgid_r(gid, &entry, bytes, sizeof bytes, &found) == 0 &&
	    found != NULL)
		return xstrdup(found->gr_name);
	return xasprintf("%ld", (long)gid);
}
