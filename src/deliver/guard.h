/*
 * Private addresses, to which the relay does not connect unless a destination
 * has `allow_private = yes`. Pure.
 */
#ifndef HOOKSPOOL_GUARD_H
#define HOOKSPOOL_GUARD_H

#include <stdbool.h>

struct sockaddr;

/* Returns whether the address cannot be a server's on the internet: private,
 * loopback, link-local, unspecified, multicast, documentation, reserved; an
 * IPv6 address for such an IPv4 address (mapped, translated, 6to4); or another
 * family. */
bool guard_is_private(const struct sockaddr *address);

/* Checks an address as text. Any text but an address is private. */
bool guard_is_private_text(const char *address);

/* The guard of one transfer. Zeroed: off. */
struct guard {
	bool is_on;      /* refuse private addresses */
	bool has_passed; /* an address was tried or connected to */
	bool is_cause;   /* no address passed: the refusal made the transfer
			    fail, whatever followed */
};

/* Returns whether to connect to one of the host's addresses. */
bool guard_lets_try(struct guard *guard, const struct sockaddr *address);

/* Returns whether to use an open connection to this address. */
bool guard_lets_use(struct guard *guard, const char *address);

#endif
