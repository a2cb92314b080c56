/*
 * Finds wrong owners and modes of the spool folder and its files, with stat(2)
 * alone: opens and changes nothing.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/user.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "spool/folder.h"

/* What the endpoint and the relay must be able to open. */
static const char *const names[] = {
    DB_NAME, WAL_NAME, SHM_NAME, LOCK_NAME, RELAY_LOCK_NAME, CONFIG_KEPT_NAME};

#define NAME_COUNT (sizeof names / sizeof *names)

struct looking {
	const char *path; /* the folder */
	struct stat folder;
	bool is_shared; /* by two users of one group */
	uid_t owner;    /* the right owner of the folder and its files */
	struct store_fault *faults;
	size_t count;
};

/* Adds a fault with the text `what`, which is taken, and the command that
 * corrects the fault. */
__attribute__((format(printf, 3, 4))) static void
add(struct looking *looking, char *what, const char *format, ...)
{
	struct store_fault *fault;
	va_list args;

	looking->faults = xreallocarray(
	    looking->faults, looking->count + 1, sizeof *looking->faults);
	fault = &looking->faults[looking->count++];
	fault->what = what;
	fault->fix = NULL;
	va_start(args, format);
	if (vasprintf(&fault->fix, format, args) < 0)
		abort();
	va_end(args);
}

/* `name` NULL: the folder itself. */
static void
add_owner(struct looking *looking, const char *name, uid_t found)
{
	char *is = user_name_dup(found),
	     *should = user_name_dup(looking->owner);
	char *path = name != NULL ? xasprintf("%s/%s", looking->path, name)
				  : xstrdup(looking->path);

	add(looking,
	    xasprintf("%s belongs to the user %s, and should belong to %s",
		path, is, should),
	    "chown %s %s", should, path);
	free(path);
	free(should);
	free(is);
}

/* Finds the user that the spool belongs to: the folder's owner, or the other
 * user that owns both the database and the lock. */
static uid_t
find_owner(const struct looking *looking)
{
	char *db_path = xasprintf("%s/" DB_NAME, looking->path);
	char *lock_path = xasprintf("%s/" LOCK_NAME, looking->path);
	uid_t owner = looking->folder.st_uid;
	struct stat db, lock;

	if (lstat(db_path, &db) == 0 && lstat(lock_path, &lock) == 0 &&
	    db.st_uid == lock.st_uid)
		owner = db.st_uid;
	free(lock_path);
	free(db_path);
	return owner;
}

static void
look_at_folder(struct looking *looking)
{
	unsigned mode = (unsigned)looking->folder.st_mode & 07777;
	bool is_shared = (mode & 0020) != 0;

	if (looking->owner != looking->folder.st_uid && !looking->is_shared)
		add_owner(looking, NULL, looking->folder.st_uid);
	if ((mode & S_IRWXO) != 0)
		add(looking,
		    xasprintf("%s is open to every user (mode %04o)",
			looking->path, mode),
		    "chmod %04o %s",
		    is_shared ? FOLDER_SHARED_MODE : FOLDER_MODE,
		    looking->path);
	else if ((mode & S_IRWXU) != S_IRWXU)
		add(looking,
		    xasprintf("%s cannot be used by its owner (mode %04o)",
			looking->path, mode),
		    "chmod %04o %s", FOLDER_MODE, looking->path);
}

/* In a folder shared by two users: they share the file by its group. */
static void
look_at_shared_file(
    struct looking *looking, const char *name, const struct stat *file)
{
	char *group;

	if (file->st_gid == looking->folder.st_gid &&
	    (file->st_mode & 0060) == 0060)
		return;
	group = group_name_dup(looking->folder.st_gid);
	add(looking,
	    xasprintf("%s/%s is not shared with the group %s (mode %04o)",
		looking->path, name, group, (unsigned)file->st_mode & 07777),
	    "chgrp %s %s/%s && chmod 0660 %s/%s", group, looking->path, name,
	    looking->path, name);
	free(group);
}

static void
look_at_file(struct looking *looking, const char *name)
{
	char *path = xasprintf("%s/%s", looking->path, name);
	struct stat file;

	if (lstat(path, &file) != 0) {
		/* Missing or not visible: opening will report it. */
	} else if (looking->is_shared) {
		look_at_shared_file(looking, name, &file);
	} else if (file.st_uid != looking->owner) {
		add_owner(looking, name, file.st_uid);
	} else if ((file.st_mode & 0600) != 0600) {
		add(looking,
		    xasprintf("%s cannot be read and written by its owner "
			      "(mode %04o)",
			path, (unsigned)file.st_mode & 07777),
		    "chmod 0600 %s", path);
	}
	free(path);
}

void
store_find_faults(const char *path, struct store_fault **faults, size_t *count)
{
	struct looking looking = {.path = path};
	size_t i;

	*faults = NULL;
	*count = 0;
	if (stat(path, &looking.folder) != 0 ||
	    !S_ISDIR(looking.folder.st_mode))
		return;
	looking.is_shared =
	    (looking.folder.st_mode & FOLDER_SHARED_MODE) == FOLDER_SHARED_MODE;
	looking.owner = find_owner(&looking);
	look_at_folder(&looking);
	for (i = 0; i < NAME_COUNT; i++)
		look_at_file(&looking, names[i]);
	*faults = looking.faults;
	*count = looking.count;
}

void
store_free_faults(struct store_fault *faults, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(faults[i].what);
		free(faults[i].fix);
	}
	free(faults);
}
