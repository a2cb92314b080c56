/*
 * Which addresses the relay does not connect to unless a destination has
 * `allow_private = yes`. Pure.
 */
#ifndef HOOKSPOOL_GUARD_H
#define HOOKSPOOL_GUARD_H

#include <stdbool.h>

struct sockaddr;

/* Whether the address is one that nobody on the internet can be reached by:
 * private, loopback, link-local, unspecified, multicast, documentation,
 * reserved; also an IPv6 address that stands for such an IPv4 address (mapped,
 * translated, 6to4), and a family that is neither. */
bool guard_is_private(const struct sockaddr *address);

/* The same for an address as text; text that is no address is private. */
bool guard_is_private_text(const char *address);

/* The guard of one transfer. All zero to begin with: it lets all pass. */
struct guard {
	bool is_on;      /* private addresses are refused */
	bool has_passed; /* an address was connected to, or tried */
	bool is_cause;   /* nothing passed: that it refused is why the transfer
			    fails, and what came after has no say in it */
};

/* Whether to connect to an address of the host, one of several perhaps. */
bool guard_lets_try(struct guard *guard, const struct sockaddr *address);

/* Whether to use the connection there is, to this address. */
bool guard_lets_use(struct guard *guard, const char *address);

#endif
