/*
 * The relay lock: a flock on relay.lock, for which one process waits at a time.
 * The holder writes a description of itself there, and then locks a byte.
 * Others test that byte without taking any lock, so they never read the
 * description of an earlier holder.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"

/* The bytes of relay.lock that are locked, independent of the contents. */
#define WAITER_BYTE 0
#define HOLDER_BYTE 1

#define TEXT_MAX_BYTES 256

/* Takes the lock as the only waiter. Returns 0 or an errno. */
static int
wait_for_flock(int fd, int64_t wait_ms)
{
	int error;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK || wait_ms <= 0)
		return errno;
	if (!lock_byte(fd, WAITER_BYTE, F_WRLCK))
		return EALREADY;
	error = lock_take(fd, clock_mono_ms() + wait_ms);
	lock_byte(fd, WAITER_BYTE, F_UNLCK);
	return error;
}

/* Writes the description of this process. On a full disk there is none, and
 * nothing of an earlier holder is left. */
static void
write_holder(int fd, const char *role)
{
	char text[TEXT_MAX_BYTES];
	int len;

	len = snprintf(text, sizeof text,
	    "pid %lld\nstarted_at_ms %lld\nversion %s\nrole %s\n",
	    (long long)getpid(), (long long)clock_wall_ms(), PACKAGE_VERSION,
	    role);
	if (len < 0 || pwrite(fd, text, (size_t)len, 0) != (ssize_t)len)
		len = 0;
	if (ftruncate(fd, len) != 0)
		return;
}

int
store_lock_relay(const char *path, int64_t wait_ms, const char *role)
{
	int folder, fd = -1, error;

	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -1;
	fd = openat(folder, RELAY_LOCK_NAME, O_RDWR | O_CLOEXEC);
	error = fd < 0 ? errno : wait_for_flock(fd, wait_ms);
	if (error == 0) {
		write_holder(fd, role);
		lock_byte(fd, HOLDER_BYTE, F_WRLCK);
	} else if (fd >= 0) {
		close(fd);
	}
	close(folder);
	errno = error;
	return error == 0 ? fd : -1;
}

/* Returns what follows `key` at the beginning of the line, else NULL. */
static const char *
value_of(const char *line, const char *key)
{
	size_t len = strlen(key);

	return strncmp(line, key, len) == 0 && line[len] == ' ' ? line + len + 1
								: NULL;
}

static void
take_line(struct relay_holder *holder, const char *line)
{
	const char *value;

	if ((value = value_of(line, "pid")) != NULL)
		holder->pid = strtoll(value, NULL, 10);
	else if ((value = value_of(line, "started_at_ms")) != NULL)
		holder->started_at_ms = strtoll(value, NULL, 10);
	else if ((value = value_of(line, "version")) != NULL)
		snprintf(holder->version, sizeof holder->version, "%s", value);
	else if ((value = value_of(line, "role")) != NULL)
		snprintf(holder->role, sizeof holder->role, "%s", value);
}

static void
read_holder(int fd, struct relay_holder *holder)
{
	char text[TEXT_MAX_BYTES], *line, *end;
	ssize_t len = pread(fd, text, sizeof text - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		take_line(holder, line);
	}
}

bool
lock_read_holder(int folder_fd, struct relay_holder *holder)
{
	struct flock range = {.l_type = F_WRLCK,
	    .l_whence = SEEK_SET,
	    .l_start = HOLDER_BYTE,
	    .l_len = 1};
	int fd = openat(folder_fd, RELAY_LOCK_NAME, O_RDONLY | O_CLOEXEC);
	bool is_held;

	memset(holder, 0, sizeof *holder);
	if (fd < 0)
		return false;
	is_held =
	    fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
	if (is_held)
		read_holder(fd, holder);
	close(fd);
	return is_held;
}

bool
store_read_relay(const char *path, struct relay_holder *holder)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_held;

	memset(holder, 0, sizeof *holder);
	if (folder < 0)
		return false;
	is_held = lock_read_holder(folder, holder);
	close(folder);
	return is_held;
}
