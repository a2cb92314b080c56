/*
 * Checks that the folder of the spool exists, on a suitable file system.
 */
#include "config.h"

#include "spool/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* File systems whose locks or shared memory do not hold between machines, or
 * whose sync is unreliable. Numbers of linux/magic.h and statfs(2). */
static const struct {
	uint32_t type;
	const char *name;
} refused_types[] = {
    {0x6969, "NFS"},
    {0x517b, "SMB"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB 2"},
    {0x01021997, "9P"},
    {0x65735546, "FUSE"},
    {0x00c36400, "Ceph"},
    {0x5346414f, "AFS"},
};

const char *
folder_refused_type(uint32_t type)
{
	size_t i;

	for (i = 0; i < sizeof refused_types / sizeof *refused_types; i++)
		if (refused_types[i].type == type)
			return refused_types[i].name;
	return NULL;
}

enum store_status
folder_check_type(int fd, const char *path, struct buf *why)
{
	struct statfs system;
	const char *name;

	if (fstatfs(fd, &system) != 0) {
		buf_add_format(why,
		    "could not look at the file system of %s: "
		    "%s",
		    path, strerror(errno));
		return STORE_FAILED;
	}
	name = folder_refused_type((uint32_t)system.f_type);
	if (name == NULL)
		return STORE_OK;
	buf_add_format(why,
	    "%s is on a %s file system, which does not keep "
	    "the promise of a sync or a lock: use a local disk",
	    path, name);
	return STORE_REFUSED;
}

enum store_status
folder_open(const char *path, int *fd, struct buf *why)
{
	enum store_status status;

	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0) {
		status = errno == ENOENT || errno == ENOTDIR ? STORE_MISSING
			 : errno == EACCES                   ? STORE_REFUSED
							     : STORE_FAILED;
		buf_add_format(why, "could not open the spool %s: %s%s", path,
		    strerror(errno),
		    status == STORE_MISSING ? ": make it with `hookspool init`"
					    : "");
		return status;
	}
	status = folder_check_type(*fd, path, why);
	if (status != STORE_OK) {
		close(*fd);
		*fd = -1;
	}
	return status;
}
