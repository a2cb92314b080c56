/*
 * Private addresses: see guard.h.
 */
#include "config.h"

#include "deliver/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* The registry of RFC 6890, and multicast and reserved addresses. Some
 * (192.0.0.9, for instance) are open to anybody, but no destination. */
static const struct {
	uint32_t network; /* host byte order */
	int bits;
} private_v4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8: this network, RFC 791 */
    {0x0a000000, 8},  /* 10.0.0.0/8: private, RFC 1918 */
    {0x64400000, 10}, /* 100.64.0.0/10: shared by customers, RFC 6598 */
    {0x7f000000, 8},  /* 127.0.0.0/8: loopback, RFC 1122 */
    {0xa9fe0000, 16}, /* 169.254.0.0/16: link-local, RFC 3927 */
    {0xac100000, 12}, /* 172.16.0.0/12: private, RFC 1918 */
    {0xc0000000, 24}, /* 192.0.0.0/24: for protocols, RFC 6890 */
    {0xc0000200, 24}, /* 192.0.2.0/24: documentation, RFC 5737 */
    {0xc0586300, 24}, /* 192.88.99.0/24: once 6to4 relays, RFC 7526 */
    {0xc0a80000, 16}, /* 192.168.0.0/16: private, RFC 1918 */
    {0xc6120000, 15}, /* 198.18.0.0/15: benchmarks, RFC 2544 */
    {0xc6336400, 24}, /* 198.51.100.0/24: documentation, RFC 5737 */
    {0xcb007100, 24}, /* 203.0.113.0/24: documentation, RFC 5737 */
    {0xe0000000, 4},  /* 224.0.0.0/4: multicast, RFC 5771 */
    {0xf0000000, 4}   /* 240.0.0.0/4: reserved, and broadcast, RFC 1112 */
};

/* The first matching row decides. Addresses without a row are private: :: and
 * ::1 (RFC 4291), IPv4-compatible (RFC 4291), 64:ff9b:1::/48 (RFC 8215),
 * 100::/64 (RFC 6666), 5f00::/16 (RFC 9602), fc00::/7 (RFC 4193), fe80::/10
 * (RFC 4291), fec0::/10 (RFC 3879), ff00::/8 (RFC 4291), and all unassigned
 * ones. */
enum verdict { PRIVATE, PUBLIC, HOLDS_V4 };

static const struct {
	uint8_t network[16];
	int bits;
	enum verdict verdict;
	int v4_at; /* for HOLDS_V4: offset of the IPv4 address */
} known_v6[] = {
    /* ::ffff:0:0/96: IPv4 mapped, RFC 4291 */
    {{[10] = 0xff, [11] = 0xff}, 96, HOLDS_V4, 12},
    /* 64:ff9b::/96: translated to IPv4, RFC 6052 */
    {{0x00, 0x64, 0xff, 0x9b}, 96, HOLDS_V4, 12},
    /* 2002::/16: 6to4, RFC 3056 */
    {{0x20, 0x02}, 16, HOLDS_V4, 2},
    /* 2001::/23: for protocols, RFC 2928; includes Teredo (RFC 4380) */
    {{0x20, 0x01}, 23, PRIVATE, 0},
    /* 2001:db8::/32: documentation, RFC 3849 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, PRIVATE, 0},
    /* 3fff::/20: documentation, RFC 9637 */
    {{0x3f, 0xff}, 20, PRIVATE, 0},
    /* 2000::/3: global unicast, RFC 4291 */
    {{0x20}, 3, PUBLIC, 0}};

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
is_in(const uint8_t *address, const uint8_t *network, int bits)
{
	size_t whole = (size_t)bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (bits % 8));

	return memcmp(address, network, whole) == 0 &&
	       (mask == 0 || ((address[whole] ^ network[whole]) & mask) == 0);
}

static bool
is_private_v6(const struct in6_addr *address)
{
	const uint8_t *b = address->s6_addr;
	uint32_t v4;
	size_t i;

	for (i = 0; i < sizeof known_v6 / sizeof known_v6[0]; i++) {
		if (!is_in(b, known_v6[i].network, known_v6[i].bits))
			continue;
		if (known_v6[i].verdict != HOLDS_V4)
			return known_v6[i].verdict == PRIVATE;
		memcpy(&v4, b + known_v6[i].v4_at, sizeof v4);
		return is_private_v4(ntohl(v4));
	}
	return true;
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

bool
guard_lets_try(struct guard *guard, const struct sockaddr *address)
{
	bool is_let = !guard->is_on || !guard_is_private(address);

	guard->has_passed |= is_let;
	guard->is_cause = !guard->has_passed;
	return is_let;
}

bool
guard_lets_use(struct guard *guard, const char *address)
{
	guard->is_cause = guard->is_on && guard_is_private_text(address);
	return !guard->is_cause;
}
