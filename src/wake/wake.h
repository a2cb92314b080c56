/*
 * The relay's socket in the spool folder: a datagram means that an event is
 * new, and may be lost only when the relay is awake anyway; the datagrams
 * `look`, `reload`, `restart` and `stop` ask it for that as well, and are not
 * lost.
 */
#ifndef HOOKSPOOL_WAKE_H
#define HOOKSPOOL_WAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WAKE_SOCKET_NAME "relay.sock"

enum wake {
	WAKE_SENT,   /* a relay lives and will look (also where its queue is
			full, EAGAIN: it lives and is busy) */
	WAKE_NOBODY, /* ENOENT, ECONNREFUSED: a relay must be started */
	WAKE_FAILED  /* anything else; errno says what */
};

/* Wakes the relay of the spool folder at `path` for a new event; never
 * blocks. */
enum wake wake_send(const char *path);

/* What a relay can be asked for. */
enum wake_request {
	WAKE_LOOK,    /* to look at everything: deliveries or pauses changed */
	WAKE_RELOAD,  /* to read its configuration again */
	WAKE_RESTART, /* to end, and to execute its program again */
	WAKE_STOP,    /* to end */
	WAKE_REQUEST_COUNT
};

/* Asks it. Waits a few seconds for a place in a full queue, then WAKE_FAILED
 * with EAGAIN. */
enum wake wake_ask(const char *path, enum wake_request request);

/* The relay's end of it, and a watch over the folder, so that the relay learns
 * when the socket is taken away. Has no end: WAKE_SOCKET_NONE. */
struct wake_socket {
	int fd;       /* to read from; -1: there is none */
	int watch_fd; /* can be read when a file came to the folder or left
			 it; -1: the folder cannot be watched */
	dev_t device; /* of the socket's name in the folder */
	ino_t inode;
};

#define WAKE_SOCKET_NONE ((struct wake_socket){.fd = -1, .watch_fd = -1})

/* Makes the socket (0660) in the folder, replacing a dead one; only under the
 * relay lock. False with errno; `end` is WAKE_SOCKET_NONE then. */
bool wake_listen(const char *path, struct wake_socket *end);

/* Whether a file came to the folder or left it since this was last asked. */
bool wake_is_touched(const struct wake_socket *end);

/* Whether the socket's name in the folder no longer leads to `end`: whoever
 * wants to wake the relay finds nobody. */
bool wake_is_lost(const char *path, const struct wake_socket *end);

/* Takes all datagrams that wait. Returns how many; sets is_asked[] of each
 * request that is among them, and leaves the others alone. */
size_t wake_drain(int fd, bool is_asked[WAKE_REQUEST_COUNT]);

/* Closes and unlinks the socket; `end` is WAKE_SOCKET_NONE then. */
void wake_close(const char *path, struct wake_socket *end);

#endif
