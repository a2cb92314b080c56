/*
 * The relay's socket in the spool folder. A datagram announces a new event, and
 * may be lost only when the relay is awake anyway; the datagrams `look`,
 * `reload`, `restart` and `stop` are requests, and are not lost.
 */
#ifndef HOOKSPOOL_WAKE_H
#define HOOKSPOOL_WAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WAKE_SOCKET_NAME "relay.sock"

enum wake {
	WAKE_SENT,   /* a relay runs and will look (also if its queue is
			full, EAGAIN: the relay is busy) */
	WAKE_NOBODY, /* ENOENT, ECONNREFUSED: a relay must be started */
	WAKE_FAILED  /* anything else; errno says what */
};

/* Wakes the relay of the spool folder at `path` for a new event; never
 * blocks. */
enum wake wake_send(const char *path);

/* The requests to a relay. */
enum wake_request {
	WAKE_LOOK,    /* to look at everything: deliveries or pauses changed */
	WAKE_RELOAD,  /* to read its configuration again */
	WAKE_RESTART, /* to end, and to execute its program again */
	WAKE_STOP,    /* to end */
	WAKE_REQUEST_COUNT
};

/* Sends a request. Waits a few seconds for a place in a full queue, then
 * WAKE_FAILED with EAGAIN. */
enum wake wake_ask(const char *path, enum wake_request request);

/* The relay's end of the socket, and a watch over the folder, by which the
 * relay notices the removal of the socket. Without a socket:
 * WAKE_SOCKET_NONE. */
struct wake_socket {
	int fd;       /* to read from; -1: none */
	int watch_fd; /* readable when a file was added to or removed from
			 the folder; -1: the folder cannot be watched */
	dev_t device; /* of the socket's name in the folder */
	ino_t inode;
};

#define WAKE_SOCKET_NONE ((struct wake_socket){.fd = -1, .watch_fd = -1})

/* Creates the socket (0660) in the folder, replacing a dead one; only under the
 * relay lock. On failure returns false with errno, and `end` is
 * WAKE_SOCKET_NONE. */
bool wake_listen(const char *path, struct wake_socket *end);

/* Returns whether a file was added to or removed from the folder since the last
 * call. */
bool wake_is_touched(const struct wake_socket *end);

/* Returns whether the socket's name in the folder no longer leads to `end`, so
 * that the relay cannot be woken. */
bool wake_is_lost(const char *path, const struct wake_socket *end);

/* Takes all waiting datagrams and returns their number. Sets is_asked[] of each
 * request among them; leaves the others alone. */
size_t wake_drain(int fd, bool is_asked[WAKE_REQUEST_COUNT]);

/* Closes and unlinks the socket; `end` is WAKE_SOCKET_NONE then. */
void wake_close(const char *path, struct wake_socket *end);

#endif
