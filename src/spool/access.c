/*
 * Owners and modes of a spool: see access.h. A spool is either closed to all
 * but its owner, 0700 and 0600, or shared with a group, 2770 and 0660. Opens
 * nothing: closing a database file would drop SQLite's locks on it.
 */
#include "config.h"

#include "spool/access.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/user.h"
#include "base/xalloc.h"
#include "spool/folder.h"
#include "spool/store_internal.h"

/* A capture needs these files, and no others of the folder; SQLite creates the
 * last two whenever they are missing. */
static const char *const names[] = {DB_NAME, LOCK_NAME, WAL_NAME, SHM_NAME};

#define LASTING_COUNT 2

/* The folder, or a file in it. */
struct thing {
	char *path;
	struct stat st;
	mode_t mode_wanted; /* where the mode is wrong */
	mode_t owner_bits;  /* what the owner needs */
	bool is_shared;     /* the folder is shared with its group */
	bool is_for_group;  /* the group may use this file */
};

static bool
is_shared(const struct stat *folder)
{
	return (folder->st_mode & FOLDER_SHARED_MODE) == FOLDER_SHARED_MODE;
}

/* Reads the folder (`name` is NULL) or a file of the folder; false if missing.
 * The caller frees thing->path in any case. */
static bool
take(struct thing *thing, const char *folder, const char *name)
{
	struct stat st;

	*thing = (struct thing){.path = name == NULL
					    ? xstrdup(folder)
					    : xasprintf("%s/%s", folder, name)};
	if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		return false;
	thing->is_shared = is_shared(&st);
	thing->owner_bits = name == NULL ? S_IRWXU : S_IRUSR | S_IWUSR;
	if (name == NULL) {
		thing->mode_wanted =
		    thing->is_shared ? FOLDER_SHARED_MODE : FOLDER_MODE;
		thing->st = st;
		thing->is_for_group = thing->is_shared;
		return true;
	}
	thing->mode_wanted = thing->is_shared ? 0660 : 0600;
	if (lstat(thing->path, &thing->st) != 0 || !S_ISREG(thing->st.st_mode))
		return false;
	thing->is_for_group = (thing->st.st_mode & 0060) == 0060;
	return true;
}

static bool
has_wrong_mode(const struct thing *thing)
{
	return (thing->st.st_mode & S_IRWXO) != 0 ||
	       (thing->st.st_mode & thing->owner_bits) != thing->owner_bits;
}

/* Returns whether this process may not use the thing, or others may enter the
 * folder. */
static bool
is_closed_to_us(const char *folder, const char *name)
{
	struct thing thing;
	bool is_closed;

	is_closed = take(&thing, folder, name) &&
		    ((thing.st.st_uid != geteuid() && !thing.is_for_group) ||
			(name == NULL && (thing.st.st_mode & S_IRWXO) != 0));
	free(thing.path);
	return is_closed;
}

void
access_say(const char *path, struct buf *why)
{
	struct store_fault *faults;
	char *owner, *user;
	struct stat st;
	size_t count, i;

	store_find_faults(path, &faults, &count);
	for (i = 0; i < count; i++)
		buf_add_format(why, "%s%s: %s", i > 0 ? "; " : "",
		    faults[i].what, faults[i].fix);
	store_free_faults(faults, count);
	if (count > 0 || stat(path, &st) != 0)
		return;
	owner = user_name_dup(st.st_uid);
	user = user_name_dup(geteuid());
	buf_add_format(why,
	    "%s belongs to the user %s, and this runs as %s: run it as %s",
	    path, owner, user, owner);
	free(owner);
	free(user);
}

bool
access_is_ours(const char *path, struct buf *why)
{
	bool is_closed = is_closed_to_us(path, NULL);
	size_t i;

	for (i = 0; i < LASTING_COUNT && !is_closed; i++)
		is_closed = is_closed_to_us(path, names[i]);
	if (is_closed)
		access_say(path, why);
	return !is_closed;
}

bool
access_is_log_ours(const char *path, struct buf *why)
{
	if (!is_closed_to_us(path, WAL_NAME) &&
	    !is_closed_to_us(path, SHM_NAME))
		return true;
	access_say(path, why);
	return false;
}

static void
repair(const char *folder, const char *name, struct buf *said)
{
	struct thing thing;

	if (take(&thing, folder, name) && thing.st.st_uid == geteuid() &&
	    has_wrong_mode(&thing) && chmod(thing.path, thing.mode_wanted) == 0)
		buf_add_format(said, "%s%s had mode %04o and has %04o now",
		    said->len > 0 ? "; " : "", thing.path,
		    (unsigned)thing.st.st_mode & 07777,
		    (unsigned)thing.mode_wanted);
	free(thing.path);
}

void
access_repair(const char *path, struct buf *said)
{
	size_t i;

	repair(path, NULL, said);
	for (i = 0; i < sizeof names / sizeof *names; i++)
		repair(path, names[i], said);
}
