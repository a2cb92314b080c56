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

#endif
