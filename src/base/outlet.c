/*
 * Outlets: see outlet.h. O_NONBLOCK belongs to the open file and would hold for
 * every process that shares the descriptor, such as a web server's standard
 * error. So a shared descriptor is never set non-blocking: it is opened once
 * more where possible. A regular file never waits for a reader and is written
 * to directly.
 */
#include "config.h"

#include "base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alarm.h"
#include "base/xalloc.h"

#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

const char *outlet_syslog_path = "/dev/log";

/* ---- an end ---- */

static void
close_end(struct outlet_end *end)
{
	if (end->is_owned && end->fd >= 0)
		close(end->fd);
	*end = (struct outlet_end){.fd = -1};
}

static bool
has_room(int fd, int wait_ms)
{
	struct pollfd out = {.fd = fd, .events = POLLOUT};

	return poll(&out, 1, wait_ms) > 0;
}

/* Writes under an alarm: there is room, but another process may take the room
 * first. */
static ssize_t
write_guarded(int fd, const struct iovec *parts, int count)
{
	struct alarm alarm;
	ssize_t wrote;
	int error;

	errno = EAGAIN;
	if (!has_room(fd, 0))
		return -1;
	errno = alarm_start(&alarm, OUTLET_PATIENCE_MS);
	if (errno != 0)
		return -1;
	wrote = writev(fd, parts, count);
	error = errno == EINTR ? EAGAIN : errno;
	alarm_stop(&alarm);
	errno = error;
	return wrote;
}

static ssize_t
send_parts(int fd, struct iovec *parts, int count)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};

	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t
write_once(const struct outlet_end *end, struct iovec *parts, int count)
{
	switch (end->way) {
	case OUTLET_PLAIN:
		return writev(end->fd, parts, count);
	case OUTLET_SOCKET:
		return send_parts(end->fd, parts, count);
	case OUTLET_GUARDED:
		return write_guarded(end->fd, parts, count);
	}
	return -1;
}

static size_t
total_of(const struct iovec *parts, int count)
{
	size_t total = 0;
	int i;

	for (i = 0; i < count; i++)
		total += parts[i].iov_len;
	return total;
}

/* Returns 0 if everything was written, else an errno; EAGAIN if there was no
 * room. */
static int
write_parts(struct outlet_end *end, struct iovec *parts, int count)
{
	ssize_t wrote;
	int error;

	do {
		wrote = write_once(end, parts, count);
	} while (wrote < 0 && errno == EINTR);
	if (wrote < 0 && errno == EAGAIN && !end->is_behind) {
		has_room(end->fd, OUTLET_PATIENCE_MS);
		wrote = write_once(end, parts, count);
	}
	error = wrote < 0 ? errno : 0;
	if (wrote > 0)
		end->is_torn = (size_t)wrote < total_of(parts, count);
	if (wrote >= 0 && end->is_torn)
		error = EAGAIN;
	end->is_behind = error != 0;
	return error;
}

static struct iovec
part(const char *text)
{
	return (struct iovec){
	    .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
}

/* ---- standard error ---- */

static bool
is_dev_null(const struct stat *found)
{
	struct stat null;

	return S_ISCHR(found->st_mode) && stat("/dev/null", &null) == 0 &&
	       found->st_rdev == null.st_rdev;
}

/* Opens standard error once more. A socket, or another user's pipe, cannot be
 * opened again. */
static void
open_stderr(struct outlet *outlet)
{
	struct outlet_end *end = &outlet->main;
	struct stat found;
	int fd;

	*end = (struct outlet_end){.fd = STDERR_FILENO};
	outlet->is_null = fstat(STDERR_FILENO, &found) != 0;
	if (outlet->is_null || S_ISREG(found.st_mode))
		return;
	outlet->is_null = is_dev_null(&found);
	if (S_ISSOCK(found.st_mode)) {
		end->way = OUTLET_SOCKET;
		return;
	}
	fd = open("/proc/self/fd/2", OPEN_FLAGS);
	if (fd >= 0)
		*end = (struct outlet_end){.fd = fd, .is_owned = true};
	else
		end->way = OUTLET_GUARDED;
}

/* ---- a file ---- */

/* Opens the file, again if a rotation has put another file, or none, at the
 * path. */
static void
open_file(struct outlet *outlet)
{
	struct outlet_end *end = &outlet->main;
	struct stat open_one, at_path;

	if (end->fd >= 0 && fstat(end->fd, &open_one) == 0 &&
	    stat(outlet->path, &at_path) == 0 &&
	    open_one.st_ino == at_path.st_ino &&
	    open_one.st_dev == at_path.st_dev)
		return;
	close_end(end);
	end->fd = open(outlet->path, OPEN_FLAGS | O_CREAT, 0640);
	end->is_owned = true;
}

/* ---- syslog ---- */

static void
open_syslog(struct outlet_end *end)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(outlet_syslog_path);
	int fd;

	if (len >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, outlet_syslog_path, len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*end = (struct outlet_end){
	    .fd = fd, .way = OUTLET_SOCKET, .is_owned = true};
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		close_end(end);
}

/* Sends to syslog's socket. syslog(3) would wait while nobody reads. A
 * restarted daemon has a new socket, so a failed send connects again. */
static bool
write_syslog(struct outlet_end *end, const struct outlet_line *line)
{
	struct iovec parts[] = {part(line->syslog_head), part(line->text)};
	int error = ENOTCONN;

	if (end->fd >= 0)
		error = write_parts(end, parts, 2);
	if (error == 0 || error == EAGAIN)
		return error == 0;
	close_end(end);
	open_syslog(end);
	return end->fd >= 0 && write_parts(end, parts, 2) == 0;
}

/* ---- all of them ---- */

/* Opens the main target. Returns false where lines go to syslog: configured so,
 * or nothing better can be opened. */
static bool
open_main(struct outlet *outlet)
{
	switch (outlet->target) {
	case LOG_TARGET_AUTO:
	case LOG_TARGET_STDERR:
		if (outlet->main.fd < 0)
			open_stderr(outlet);
		return outlet->target == LOG_TARGET_STDERR || !outlet->is_null;
	case LOG_TARGET_FILE:
		open_file(outlet);
		return outlet->main.fd >= 0;
	case LOG_TARGET_SYSLOG:
		break;
	}
	return false;
}

bool
outlet_write(struct outlet *outlet, const struct outlet_line *line)
{
	struct outlet_end *end = &outlet->main;
	struct iovec parts[] = {
	    part(""), part(line->head), part(line->text), part("\n")};

	if (!open_main(outlet))
		return write_syslog(&outlet->syslog, line);
	if (end->is_torn)
		parts[0] = part("\n"); /* end the line that was cut short */
	return write_parts(end, parts, 4) == 0;
}

void
outlet_set(struct outlet *outlet, enum log_target target, const char *path)
{
	close_end(&outlet->main);
	close_end(&outlet->syslog);
	free(outlet->path);
	outlet->path = path != NULL ? xstrdup(path) : NULL;
	outlet->target = path == NULL && target == LOG_TARGET_FILE
			     ? LOG_TARGET_AUTO
			     : target;
}
