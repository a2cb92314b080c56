/*
 * The values of a destination's keys, good, bad and at their bounds.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>

#include "conf/conf.h"
#include "conf/match.h"
#include "config_unit.h"

static void
the_values_of_a_destination_are_checked(void **state)
{
	static const struct value values[] = {{"timeout", "600s", NULL},
	    {"timeout", "601s", "too large"},
	    {"concurrency", "65", "from 1 to 64"},
	    {"concurrency", "0", "too small"},
	    {"order", "event", "ticket or none"}, {"retry_for", "365d", NULL},
	    {"retry_for", "366d", "too large"}, {"retry_for", "72", "no unit"},
	    {"allow_private", "true", "yes or no"},
	    {"allow_private", "no", NULL},
	    {"ca_file", "ca.pem", "absolute path"},
	    {"events", " , x", "empty item"},
	    {"secret_file", "secrets", "absolute path"},
	    {"client_cert", "c", "absolute path"},
	    {"client_key", "k", "absolute path"},
	    {"client_cert", "/c", "one of client_cert and client_key"},
	    {"client_key", "/k", "one of client_cert and client_key"},
	    {"header", "X-Empty:", "has no value"},
	    {"header", "no colon", "Name: value"},
	    {"header", ": x", "Name: value"},
	    {"header", "Ho st: x", "Name: value"},
	    {"header", "host: x", "replaces a header"},
	    {"header", "Content-Length: 0", "replaces a header"},
	    {"header", "CONTENT-type: x", "replaces a header"},
	    {"header", "Transfer-Encoding: x", "replaces a header"},
	    {"header", "Webhook-Id: x", "replaces a header"},
	    {"header", "Content-Language: sv", NULL}, {NULL, NULL, NULL}};

	(void)state;
	judge("[destination x]", URL, values);
}

static void
a_proxy_is_a_host_with_a_port(void **state)
{
	static const struct value values[] = {
	    {"proxy", "http://proxy.example.com:3128", NULL},
	    {"proxy", "https://user:p%40ss@10.0.0.1:3128/", NULL},
	    {"proxy", "http://[::1]:3128", NULL},
	    {"proxy", "http://proxy.example.com", "has no port"},
	    {"proxy", "http://user:pw@proxy.example.com/", "has no port"},
	    {"proxy", "http://[::1]", "has no port"},
	    {"proxy", "http://proxy.example.com:3128/x", "has a path"},
	    {"proxy", "http://proxy.example.com:3128?", "has a path"},
	    {"proxy", "socks5h://proxy.example.com:1080",
		"write http://HOST:PORT or https://HOST:PORT"},
	    {"proxy", "proxy.example.com:3128",
		"does not begin with https:// or"},
	    {"proxy", "", "does not begin with https:// or"},
	    {NULL, NULL, NULL}};

	(void)state;
	judge("[destination x]", URL, values);
}

static void
a_secret_is_24_to_64_bytes_in_base64(void **state)
{
	static const struct value values[] = {
	    {"secret", "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB", NULL},
	    {"secret",
		"whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ"
		"EBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==",
		NULL},
	    {"secret", "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
		"fewer than 24 bytes"},
	    {"secret",
		"whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ"
		"EBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
		"more than 64 bytes"},
	    {"secret", "whsec_", "fewer than 24 bytes"},
	    {"secret", "s", "begin with whsec_"},
	    {"secret", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB", "begin with whsec_"},
	    {"secret", "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAA",
		"not base64"},
	    {"secret", "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBA", "not base64"},
	    {"secret",
		"whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB====", "not base64"},
	    {"secret", "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB-_AA",
		"not base64"},
	    {"secret", "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBA=AA",
		"not base64"},
	    {"secret", " , ", "empty item"}, {NULL, NULL, NULL}};

	(void)state;
	judge("[destination x]", URL, values);
}

static void
a_url_is_http_or_https_with_a_host(void **state)
{
	static const struct value values[] = {{"url", "http://a", NULL},
	    {"url", "HTTPS://user:pw@crm.example.com:443/x?y#z", NULL},
	    {"url", "http://127.0.0.1:65535", NULL},
	    {"url", "http://[fe80::1]/", NULL},
	    {"url", "ftp://a", "does not begin with https:// or http://"},
	    {"url", "crm.example.com",
		"does not begin with https:// or http://"},
	    {"url", "", "does not begin with https:// or http://"},
	    {"url", "https://", "has no host"},
	    {"url", "https:///x", "has no host"},
	    {"url", "https://:80/", "has no host"},
	    {"url", "https://user@/", "has no host"},
	    {"url", "https://[::1", "without its closing ]"},
	    {"url", "https://a:0/", "not a number from 1 to 65535"},
	    {"url", "https://a:65536/", "not a number from 1 to 65535"},
	    {"url", "https://a:/", "not a number from 1 to 65535"},
	    {"url", "https://a:8x/", "not a number from 1 to 65535"},
	    {"url", "https://a b/", "has a space"},
	    {"url", "https://a\\@b/", "a backslash"},
	    {"url", "https://a(b)/", "not allowed in a host name"},
	    {"url", "https://\xc3\xa5.se/", "\"https://\\xc3\\xa5.se/\""},
	    {NULL, NULL, NULL}};

	(void)state;
	judge("[destination x]", "", values);
}

static void
what_is_shown_of_a_url_holds_no_secret(void **state)
{
	static const char *const urls[][2] = {
	    {"https://crm.example.com", "https://crm.example.com"},
	    {"https://crm.example.com/", "https://crm.example.com/"},
	    {"https://crm.example.com/k3y", "https://crm.example.com/..."},
	    {"http://crm.example.com?k3y", "http://crm.example.com/..."},
	    {"HTTPS://u:pw@[::1]:8443/k3y#x", "HTTPS://[::1]:8443/..."},
	    {"https://u:p@w@crm.example.com/", "https://crm.example.com/"},
	    {"https://example.com/@user", "https://example.com/..."},
	    {"https://u:p/w@example.com/k3y", "https://example.com/..."},
	    {"https://u:p?w#@example.com/", "https://example.com/"},
	    {"https:/u:pw@example.com", "example.com"},
	    {"u:pw@example.com/k3y", "example.com/..."},
	    {"u:pw@http://example.com/", "http:/..."},
	    {"ftp://u:pw@example.com", "ftp://example.com"},
	    {"https://", "https://"}, {"", ""}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		char *shown = config_url_shown_dup(urls[i][0]);

		assert_string_equal(shown, urls[i][1]);
		free(shown);
	}
}

static void
a_destination_wants_what_one_of_its_patterns_matches(void **state)
{
	static const char text[] =
	    "[destination some]\n" URL "events = ticket_*, n?te\n"
	    "[destination all]\nurl = https://crm.example.com\n"
	    "[destination probes]\nurl = https://crm.example.com\n"
	    "events = hookspool_probe\ncommunity = mine, yours\n";
	struct config *c = accepted(text, CONFIG_ALL);
	const struct destination_config *some = c->destinations;

	(void)state;
	assert_true(destination_wants(some, "ticket_status_change", "x"));
	assert_true(destination_wants(some, "note", NULL));
	assert_false(destination_wants(some, "note_deletion", "x"));
	assert_false(destination_wants(some, NULL, "x"));
	assert_true(destination_wants(&some[1], "note", "x"));
	assert_false(destination_wants(&some[1], CONFIG_PROBE_TYPE, "x"));
	assert_true(destination_wants(&some[2], CONFIG_PROBE_TYPE, "yours"));
	assert_false(destination_wants(&some[2], CONFIG_PROBE_TYPE, "x"));
	assert_false(destination_wants(&some[2], CONFIG_PROBE_TYPE, NULL));
	config_drop(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_values_of_a_destination_are_checked),
	    cmocka_unit_test(a_proxy_is_a_host_with_a_port),
	    cmocka_unit_test(a_secret_is_24_to_64_bytes_in_base64),
	    cmocka_unit_test(a_url_is_http_or_https_with_a_host),
	    cmocka_unit_test(what_is_shown_of_a_url_holds_no_secret),
	    cmocka_unit_test(
		a_destination_wants_what_one_of_its_patterns_matches),
	};

	return cmocka_run_group_tests_name(
	    "config destination", tests, set_up, tear_down);
}
