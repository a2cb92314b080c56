/*
 * The relay's socket in the spool folder: see wake.h. An address holds only 107
 * bytes of path; longer paths go through /proc/self/fd.
 */
#include "config.h"

#include "wake/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/xalloc.h"

#define ASK_TRIES          500 /* for a place in a full queue */
#define ASK_PAUSE_MS       10
#define DATAGRAM_MAX_BYTES 16
#define EVENTS_MAX_BYTES   4096 /* of the watch, at a time */

static const char *const requests[WAKE_REQUEST_COUNT] = {[WAKE_LOOK] = "look",
    [WAKE_RELOAD] = "reload",
    [WAKE_RESTART] = "restart",
    [WAKE_STOP] = "stop"};

/* Writes the socket's address, through the open folder if the path is too
 * long. */
static void
make_address(struct sockaddr_un *address, const char *path, int folder)
{
	size_t size = sizeof address->sun_path;
	int len;

	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	len =
	    snprintf(address->sun_path, size, "%s/%s", path, WAKE_SOCKET_NAME);
	if (len < 0 || (size_t)len >= size)
		snprintf(address->sun_path, size, "/proc/self/fd/%d/%s", folder,
		    WAKE_SOCKET_NAME);
}

/* Opens the folder and a socket, and makes the address. close_both closes both.
 * Returns false with errno on failure. */
static bool
open_both(const char *path, struct sockaddr_un *address, int *folder, int *fd)
{
	*fd = -1;
	*folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0)
		return false;
	*fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	make_address(address, path, *folder);
	return *fd >= 0;
}

static void
close_both(int folder, int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (folder >= 0)
		close(folder);
	errno = error;
}

/* Sends a datagram; WAKE_FAILED with EAGAIN if the queue is full. */
static enum wake
send_datagram(const char *path, const char *data, size_t len)
{
	struct sockaddr_un address;
	enum wake result = WAKE_FAILED;
	int folder, fd;
	ssize_t sent;

	if (!open_both(path, &address, &folder, &fd))
		goto out;
	do {
		sent = sendto(fd, data, len, MSG_NOSIGNAL,
		    (struct sockaddr *)&address, sizeof address);
	} while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)len)
		result = WAKE_SENT;
	else if (errno == ENOENT || errno == ECONNREFUSED)
		result = WAKE_NOBODY;
out:
	close_both(folder, fd);
	return result;
}

enum wake
wake_send(const char *path)
{
	enum wake result = send_datagram(path, "", 1);

	if (result == WAKE_FAILED && errno == EAGAIN)
		return WAKE_SENT;
	return result;
}

enum wake
wake_ask(const char *path, enum wake_request request)
{
	const char *text = requests[request];
	enum wake result = WAKE_FAILED;
	int tries;

	for (tries = 0; tries < ASK_TRIES; tries++) {
		result = send_datagram(path, text, strlen(text));
		if (result != WAKE_FAILED || errno != EAGAIN)
			break;
		poll(NULL, 0, ASK_PAUSE_MS);
		errno = EAGAIN;
	}
	return result;
}

/* A bound socket keeps its inode: no other file gets the number. */
static bool
read_identity(int folder, struct wake_socket *end)
{
	struct stat name;

	if (fstatat(folder, WAKE_SOCKET_NAME, &name, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	end->device = name.st_dev;
	end->inode = name.st_ino;
	return true;
}

/* Ignores writes to files: SQLite writes all the time. */
static int
watch(const char *path)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd >= 0 &&
	    inotify_add_watch(fd, path,
		IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool
wake_listen(const char *path, struct wake_socket *end)
{
	struct sockaddr_un address;
	int folder;

	*end = WAKE_SOCKET_NONE;
	if (!open_both(path, &address, &folder, &end->fd))
		goto fail;
	if (unlinkat(folder, WAKE_SOCKET_NAME, 0) != 0 && errno != ENOENT)
		goto fail;
	/* Before the socket exists, so that its removal cannot be missed. */
	end->watch_fd = watch(path);
	if (bind(end->fd, (struct sockaddr *)&address, sizeof address) != 0)
		goto fail;
	/* Whatever the umask: other users of a shared folder's group send. */
	if (fchmodat(folder, WAKE_SOCKET_NAME, 0660, 0) != 0 ||
	    !read_identity(folder, end))
		goto fail;
	close(folder);
	return true;
fail:
	close_both(folder, end->fd);
	close_both(end->watch_fd, -1);
	*end = WAKE_SOCKET_NONE;
	return false;
}

bool
wake_is_touched(const struct wake_socket *end)
{
	char events[EVENTS_MAX_BYTES];
	bool is_touched = false;

	while (read(end->watch_fd, events, sizeof events) > 0)
		is_touched = true;
	return is_touched;
}

bool
wake_is_lost(const char *path, const struct wake_socket *end)
{
	char *name = xasprintf("%s/" WAKE_SOCKET_NAME, path);
	struct stat found;
	bool is_there = lstat(name, &found) == 0;

	free(name);
	return end->fd < 0 || !is_there || found.st_dev != end->device ||
	       found.st_ino != end->inode;
}

static void
note_request(const char *data, size_t len, bool is_asked[WAKE_REQUEST_COUNT])
{
	size_t i;

	for (i = 0; i < WAKE_REQUEST_COUNT; i++)
		if (len == strlen(requests[i]) &&
		    memcmp(data, requests[i], len) == 0)
			is_asked[i] = true;
}

size_t
wake_drain(int fd, bool is_asked[WAKE_REQUEST_COUNT])
{
	char data[DATAGRAM_MAX_BYTES];
	size_t count = 0;

	for (;;) {
		ssize_t len = recv(fd, data, sizeof data, MSG_DONTWAIT);

		if (len >= 0) {
			count++;
			note_request(data, (size_t)len, is_asked);
		} else if (errno != EINTR) {
			return count;
		}
	}
}

void
wake_close(const char *path, struct wake_socket *end)
{
	int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder >= 0)
		unlinkat(folder, WAKE_SOCKET_NAME, 0);
	close_both(folder, end->fd);
	close_both(end->watch_fd, -1);
	*end = WAKE_SOCKET_NONE;
}
