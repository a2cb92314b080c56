/*
 * Private addresses: see guard.h.
 */
#include "config.h"

#include "relay/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
	uint32_t network; /* host byte order */
	int bits;
} private_v4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8: this network, RFC 791 */
    {0x0a000000, 8},  /* 10.0.0.0/8: private, RFC 1918 */
    {0x64400000, 10}, /* 100.64.0.0/10: shared, RFC 6598 */
    {0x7f000000, 8},  /* 127.0.0.0/8: loopback */
    {0xa9fe0000, 16}, /* 169.254.0.0/16: link-local, RFC 3927 */
    {0xac100000, 12}, /* 172.16.0.0/12: private */
    {0xc0a80000, 16}, /* 192.168.0.0/16: private */
    {0xe0000000, 3}   /* 224.0.0.0/3: multicast, reserved, broadcast */
};

static bool
is_private_v4(uint32_t address)
{
	size_t i;

	for (i = 0; i < sizeof private_v4 / sizeof private_v4[0]; i++)
		if ((address ^ private_v4[i].network) >>
			(32 - private_v4[i].bits) ==
		    0)
			return true;
	return false;
}

static bool
is_private_v6(const struct in6_addr *address)
{
	const uint8_t *b = address->s6_addr;

	if (IN6_IS_ADDR_V4MAPPED(address))
		return is_private_v4((uint32_t)b[12] << 24 |
				     (uint32_t)b[13] << 16 |
				     (uint32_t)b[14] << 8 | b[15]);
	/* Of the rest only 2000::/3 is global unicast (RFC 4291, 2.4). */
	return (b[0] & 0xe0) != 0x20;
}

bool
guard_is_private(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof v4);
		return is_private_v4(ntohl(v4.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&v6, address, sizeof v6);
		return is_private_v6(&v6.sin6_addr);
	default:
		return true;
	}
}

bool
guard_is_private_text(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return is_private_v4(ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, address, &v6) == 1)
		return is_private_v6(&v6);
	return true;
}
