/*
 * Which addresses are private: the first and last of each block, and those
 * beside it; and when that is why a transfer fails.
 */
#include "config.h"

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "deliver/guard.h"

/* Whether it is private, the same by text and by socket address. */
static bool
is_private(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool is_v4 = inet_pton(AF_INET, text, &v4.sin_addr) == 1;
	bool found;

	if (!is_v4)
		assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	found = is_v4 ? guard_is_private((const struct sockaddr *)&v4)
		      : guard_is_private((const struct sockaddr *)&v6);
	assert_int_equal(guard_is_private_text(text), found);
	return found;
}

static void
all_are(bool wanted, const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		if (is_private(*texts) != wanted)
			print_error("%s\n", *texts);
		assert_int_equal(is_private(*texts), wanted);
	}
}

static void
special_ipv4_addresses_are_private(void **state)
{
	(void)state;
	all_are(true,
	    (const char *const[]){"0.0.0.0", "0.255.255.255", "10.0.0.0",
		"10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
		"127.255.255.255", "169.254.0.0", "169.254.169.254",
		"169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0",
		"192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.1",
		"192.168.0.0", "192.168.255.255", "198.18.0.0",
		"198.19.255.255", "198.51.100.0", "198.51.100.255",
		"203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255",
		"240.0.0.0", "255.255.255.255", NULL});
}

static void
other_ipv4_addresses_are_not(void **state)
{
	(void)state;
	all_are(false,
	    (const char *const[]){"1.0.0.0", "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255",
		"172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
		"192.88.98.255", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0",
		"203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8",
		NULL});
}

static void
only_global_unicast_ipv6_addresses_are_not_private(void **state)
{
	(void)state;
	all_are(true,
	    (const char *const[]){"::", "::1", "::2", "::7f00:1", "::8.8.8.8",
		"64:ff9b:1::1", "64:ff9c::808:808", "100::1", "1fff:ffff::1",
		"2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1",
		"2001:10::1", "2001:1ff:ffff::1", "2001:db8::1",
		"2001:db8:ffff::1", "3fff::1", "3fff:fff::1", "4000::1",
		"5f00::1", "fc00::1", "fd00::1", "fdff::1", "fe80::1",
		"febf::1", "fec0::1", "ff02::1", "ffff::1", NULL});
	all_are(false,
	    (const char *const[]){"2000::1", "2001:200::1",
		"2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2003::1",
		"2606:4700::1111", "3ffe::1", "3fff:1000::1", NULL});
}

static void
an_ipv6_address_is_what_the_ipv4_address_in_it_is(void **state)
{
	(void)state;
	all_are(true,
	    (const char *const[]){"::ffff:127.0.0.1", "::ffff:7f00:1",
		"::ffff:10.1.2.3", "::ffff:0.0.0.0", "::ffff:169.254.169.254",
		"64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::192.168.1.1",
		"2002:7f00:1::1", "2002:a00:1::", "2002:c0a8:101::1",
		"2002:a9fe:a9fe::1", NULL});
	all_are(false, (const char *const[]){"::ffff:8.8.8.8",
			   "64:ff9b::8.8.8.8", "2002:808:808::1", NULL});
}

static void
what_is_no_address_is_private(void **state)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};

	(void)state;
	assert_true(guard_is_private((const struct sockaddr *)&local));
	assert_true(guard_is_private_text(""));
	assert_true(guard_is_private_text("8.8.8.8.8"));
	assert_true(guard_is_private_text("2606:4700::1111%eth0"));
}

/* Whether the guard is the cause after it was asked for these in turn; they
 * are separated by a blank. */
static bool
is_cause(const char *addresses)
{
	struct guard guard = {.is_on = true};
	char text[INET6_ADDRSTRLEN];
	int len;

	for (; *addresses != '\0'; addresses += len) {
		struct sockaddr_in v4 = {.sin_family = AF_INET};

		len = (int)strcspn(addresses, " ");
		snprintf(text, sizeof text, "%.*s", len, addresses);
		assert_int_equal(inet_pton(AF_INET, text, &v4.sin_addr), 1);
		assert_true(
		    guard_lets_try(&guard, (const struct sockaddr *)&v4) ==
		    !guard_is_private_text(text));
		len += addresses[len] == ' ';
	}
	return guard.is_cause;
}

static void
a_refusal_is_the_cause_only_where_no_other_address_was_tried(void **state)
{
	(void)state;
	assert_true(is_cause("10.0.0.1"));
	assert_true(is_cause("10.0.0.1 127.0.0.1"));
	assert_false(is_cause("8.8.8.8"));
	assert_false(is_cause("10.0.0.1 8.8.8.8"));
	assert_false(is_cause("8.8.8.8 10.0.0.1"));
	assert_false(is_cause("10.0.0.1 8.8.8.8 10.0.0.2"));
}

static void
a_connection_to_a_private_address_is_not_used(void **state)
{
	struct guard on = {.is_on = true}, off = {.is_on = false};

	(void)state;
	assert_true(guard_lets_use(&on, "8.8.8.8"));
	assert_false(on.is_cause);
	assert_false(guard_lets_use(&on, "127.0.0.1"));
	assert_true(on.is_cause);
	assert_true(guard_lets_use(&off, "127.0.0.1"));
	assert_false(off.is_cause);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(special_ipv4_addresses_are_private),
	    cmocka_unit_test(other_ipv4_addresses_are_not),
	    cmocka_unit_test(
		only_global_unicast_ipv6_addresses_are_not_private),
	    cmocka_unit_test(an_ipv6_address_is_what_the_ipv4_address_in_it_is),
	    cmocka_unit_test(what_is_no_address_is_private),
	    cmocka_unit_test(
		a_refusal_is_the_cause_only_where_no_other_address_was_tried),
	    cmocka_unit_test(a_connection_to_a_private_address_is_not_used),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
