/*
 * The relay's socket in the spool folder: a datagram means "look again", and
 * may be lost only when the relay is awake anyway; the datagram `reload` asks
 * it to read its configuration again as well, and is not lost.
 */
#ifndef HOOKSPOOL_WAKE_H
#define HOOKSPOOL_WAKE_H

#include <stdbool.h>
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

/* Asks it to read its configuration again. Waits a few seconds for a place in
 * a full queue, then WAKE_FAILED with EAGAIN. */
enum wake wake_ask_reload(const char *path);

/* Makes the socket (0660) in the folder, replacing a dead one; only under the
 * relay lock. Returns a non-blocking descriptor, or -1 with errno. */
int wake_listen(const char *path);

/* Takes all datagrams that wait. Returns how many; sets `is_reload_asked` if
 * one of them was `reload`, and leaves it alone if not. */
size_t wake_drain(int fd, bool *is_reload_asked);

/* Closes and unlinks the socket. */
void wake_close(const char *path, int fd);

#endif
