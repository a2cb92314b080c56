/*
 * Reading and watching files: see file.h.
 */
#include "config.h"

#include "conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

static void
note(struct config_file *file, const struct stat *st)
{
	file->is_there = true;
	file->device = st->st_dev;
	file->inode = st->st_ino;
	file->mode = st->st_mode;
	file->size = st->st_size;
	file->changed_s = st->st_ctim.tv_sec;
	file->changed_ns = st->st_ctim.tv_nsec;
}

static bool
check_mode(const char *path, const struct config_file *file, struct buf *why)
{
	if ((file->mode & 0007) == 0)
		return true;
	buf_add_format(why,
	    "%s: other users have access to it (mode %04o); run: chmod o= %s",
	    path, (unsigned)file->mode & 07777, path);
	return false;
}

/* Reads until `bytes` is full or the file ends. Reading past the maximum
 * detects a file that is too large. */
static bool
read_all(int fd, const char *path, struct buf *bytes, struct buf *why)
{
	char chunk[4096];
	ssize_t got;

	for (;;) {
		got = read(fd, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			buf_add_format(why, "%s: %s", path, strerror(errno));
			return false;
		}
		if (got == 0)
			return true;
		if (!buf_add(bytes, chunk, (size_t)got)) {
			buf_add_format(why,
			    "%s: the file is larger than %zu bytes", path,
			    bytes->max);
			return false;
		}
	}
}

bool
file_read_public(const char *path, struct buf *bytes, struct config_file *file,
    struct buf *why)
{
	struct stat st;
	bool is_fine = false;
	int fd;

	*file = (struct config_file){.path = xstrdup(path)};
	if (stat(path, &st) == 0)
		note(file, &st);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		buf_add_format(why, "%s: %s", path, strerror(errno));
		goto out;
	}
	note(file, &st);
	if (S_ISREG(st.st_mode))
		is_fine = read_all(fd, path, bytes, why);
	else
		buf_add_format(why, "%s: this is not a regular file", path);
out:
	if (fd >= 0)
		close(fd);
	return is_fine;
}

bool
file_read(const char *path, struct buf *bytes, struct config_file *file,
    struct buf *why)
{
	return file_read_public(path, bytes, file, why) &&
	       check_mode(path, file, why);
}

struct config_file
file_look(const char *path)
{
	struct config_file now = {.path = NULL};
	struct stat st;

	if (stat(path, &st) == 0)
		note(&now, &st);
	return now;
}

bool
file_is_fresh(const struct config_file *file, int64_t wall_ms, int64_t for_ms)
{
	int64_t changed_ms =
	    file->changed_s * 1000 + file->changed_ns / 1000000;

	return file->is_there && changed_ms <= wall_ms &&
	       wall_ms - changed_ms < for_ms;
}

bool
file_is_changed(const struct config_file *file)
{
	struct config_file now = file_look(file->path);

	return now.is_there != file->is_there || now.device != file->device ||
	       now.inode != file->inode || now.mode != file->mode ||
	       now.size != file->size || now.changed_s != file->changed_s ||
	       now.changed_ns != file->changed_ns;
}
