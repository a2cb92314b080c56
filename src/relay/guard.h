/*
 * Which addresses the relay does not connect to unless a destination has
 * `allow_private = yes`. Pure.
 */
#ifndef HOOKSPOOL_GUARD_H
#define HOOKSPOOL_GUARD_H

#include <stdbool.h>

struct sockaddr;

/* Whether the address is private, loopback, link-local, unspecified,
 * multicast or reserved, as IPv4, IPv6 or IPv4 mapped into IPv6, or of a
 * family that is neither. */
bool guard_is_private(const struct sockaddr *address);

/* The same for an address as text; text that is no address is private. */
bool guard_is_private_text(const char *address);

#endif
