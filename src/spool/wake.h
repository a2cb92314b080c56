/*
 * The relay's socket in the spool folder: one datagram means "look again".
 * It carries nothing and may be lost only when the relay is awake anyway.
 */
#ifndef HOOKSPOOL_WAKE_H
#define HOOKSPOOL_WAKE_H

#include <stddef.h>

#define WAKE_SOCKET_NAME "relay.sock"

enum wake {
	WAKE_SENT,   /* a relay lives and will look (also where its queue is
			full, EAGAIN: it lives and is busy) */
	WAKE_NOBODY, /* ENOENT, ECONNREFUSED: a relay must be started */
	WAKE_FAILED  /* anything else; errno says what */
};

/* Wakes the relay of the spool folder at `path`; never blocks. */
enum wake wake_send(const char *path);

/* Makes the socket (0660) in the folder, replacing a dead one; only under the
 * relay lock. Returns a non-blocking descriptor, or -1 with errno. */
int wake_listen(const char *path);

/* Takes all datagrams that wait. Returns how many. */
size_t wake_drain(int fd);

/* Closes and unlinks the socket. */
void wake_close(const char *path, int fd);

#endif
