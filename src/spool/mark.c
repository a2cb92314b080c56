/*
 * The mark of a failed sync: a file in the folder. recover.c explains its use.
 * Knows no database, so that any code that sees a failure can leave the mark.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void
mark_leave(struct store *store)
{
	int fd;

	if (store->access == STORE_READ)
		return;
	/* Not synced: a power cut that removes the mark also removes what the
	 * mark warns of. */
	fd = openat(
	    store->folder_fd, MARK_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0660);
	if (fd >= 0)
		close(fd);
}

bool
mark_is_left(const struct store *store)
{
	struct stat mark;

	return fstatat(store->folder_fd, MARK_NAME, &mark, 0) == 0 ||
	       errno != ENOENT;
}

bool
mark_remove(struct store *store)
{
	return unlinkat(store->folder_fd, MARK_NAME, 0) == 0 || errno == ENOENT;
}
