/*
 * The configuration as text: every key good, bad and at its bounds; what an
 * error says; what concerns the endpoint.
 */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "conf/conf.h"
#include "config_unit.h"

/* ---- keys ---- */

static void
an_empty_file_gives_the_documented_defaults(void **state)
{
	struct config *c = accepted("", CONFIG_ALL);

	(void)state;
	assert_int_equal(c->endpoint.max_body_bytes, 1048576);
	assert_int_equal(c->endpoint.threads, 32);
	assert_int_equal(c->endpoint.body_timeout_ms, 10000);
	assert_int_equal(c->endpoint.capture_timeout_ms, 8000);
	assert_int_equal(c->endpoint.path_keys.count, 0);
	assert_null(c->endpoint.path_keys_problem);
	assert_int_equal(c->endpoint.communities.count, 0);
	assert_non_null(c->endpoint.verify_tokens_problem);
	assert_string_equal(c->spool.path, CONFIG_DEFAULT_SPOOL);
	assert_int_equal(c->spool.min_free_bytes, 64 << 20);
	assert_int_equal(c->spool.max_size_bytes, 0);
	assert_int_equal(c->spool.retain_ms, INT64_C(30) * 86400000);
	assert_int_equal(c->spool.retain_dead_ms, INT64_C(90) * 86400000);
	assert_int_equal(c->spool.retain_refused_ms, INT64_C(7) * 86400000);
	assert_true(c->relay.is_on_demand);
	assert_int_equal(c->relay.idle_exit_ms, 60000);
	assert_string_equal(c->relay.program, CONFIG_DEFAULT_RELAY);
	assert_int_equal(c->log.target, LOG_TARGET_AUTO);
	assert_int_equal(c->log.format, LOG_FORMAT_TEXT);
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_int_equal(c->destination_count, 0);
	config_drop(c);
}

static void
a_configuration_lasts_until_its_last_user_drops_it(void **state)
{
	struct config *c = accepted("[log]\nlevel = warn\n", CONFIG_ALL);
	const struct config *held = config_hold(c);

	(void)state;
	config_drop(c);
	assert_int_equal(held->log.level, LOG_LEVEL_WARN);
	assert_string_equal(held->spool.path, CONFIG_DEFAULT_SPOOL);
	config_drop(held);
	config_drop(NULL);
}

static void
a_destination_needs_no_more_than_a_url(void **state)
{
	struct config *c = accepted("[destination crm]\n" URL, CONFIG_ALL);
	const struct destination_config *d = &c->destinations[0];

	(void)state;
	assert_int_equal(c->destination_count, 1);
	assert_string_equal(d->name, "crm");
	assert_string_equal(d->url, "https://crm.example.com/hook");
	assert_int_equal(d->events.count, 1);
	assert_string_equal(d->events.items[0], "*");
	assert_string_equal(d->communities.items[0], "*");
	assert_int_equal(d->headers.count, 0);
	assert_int_equal(d->timeout_ms, 15000);
	assert_int_equal(d->concurrency, 8);
	assert_int_equal(d->order, DESTINATION_ORDER_TICKET);
	assert_int_equal(d->retry_for_ms, INT64_C(72) * 3600000);
	assert_int_equal(d->secrets.count, 0);
	assert_null(d->ca_file);
	assert_null(d->proxy);
	assert_false(d->allow_private);
	config_drop(c);
}

static void
every_key_is_read_into_its_place(void **state)
{
	struct config *c = accepted(
	    "[endpoint]\nverify_token = a , b\nverify_token = c\n"
	    "path_key = K-1._~\ncommunity = yourCompany, Other one\n"
	    "max_body = 64M\nthreads = 256\nbody_timeout = 3s\n"
	    "capture_timeout = 4s\n"
	    "[spool]\npath = /srv/spool\nmin_free = 0\nmax_size = 2G\n"
	    "retain = 0\nretain_dead = 2m\nretain_refused = 1h\n"
	    "[relay]\nstart = never\nidle_exit = 5s\nprogram = /opt/h\n"
	    "[log]\nto = /var/log/h.log\nformat = json\n"
	    "level = notice\n"
	    "[destination a.b-c_1]\nurl = http://[::1]:8080/x?y=z\n"
	    "events = ticket_*, note_deletion\ncommunity = A\n"
	    "header = X-Api-Key: 123\nheader = Authorization: Basic x=\n"
	    "timeout = 1s\nconcurrency = 64\norder = none\nretry_for = 1d\n"
	    "secret = " SECRET ", " OTHER_SECRET "\nsecret = " SECRET "\n"
	    "proxy = http://u:p@proxy.example.com:3128\n"
	    "ca_file = /etc/ca.pem\nallow_private = yes\n"
	    "[destination two]\n" URL,
	    CONFIG_ALL);
	const struct destination_config *d = c->destinations;

	(void)state;
	assert_int_equal(c->endpoint.verify_tokens.count, 3);
	assert_string_equal(c->endpoint.verify_tokens.items[1], "b");
	assert_string_equal(c->endpoint.verify_tokens.items[2], "c");
	assert_null(c->endpoint.verify_tokens_problem);
	assert_string_equal(c->endpoint.path_keys.items[0], "K-1._~");
	assert_string_equal(c->endpoint.communities.items[1], "Other one");
	assert_int_equal(c->endpoint.max_body_bytes, 64 << 20);
	assert_int_equal(c->endpoint.threads, 256);
	assert_int_equal(c->endpoint.body_timeout_ms, 3000);
	assert_int_equal(c->endpoint.capture_timeout_ms, 4000);
	assert_string_equal(c->spool.path, "/srv/spool");
	assert_int_equal(c->spool.min_free_bytes, 0);
	assert_int_equal(c->spool.max_size_bytes, INT64_C(2) << 30);
	assert_int_equal(c->spool.retain_ms, 0);
	assert_int_equal(c->spool.retain_dead_ms, 120000);
	assert_int_equal(c->spool.retain_refused_ms, 3600000);
	assert_false(c->relay.is_on_demand);
	assert_int_equal(c->relay.idle_exit_ms, 5000);
	assert_string_equal(c->relay.program, "/opt/h");
	assert_int_equal(c->log.target, LOG_TARGET_FILE);
	assert_string_equal(c->log.path, "/var/log/h.log");
	assert_int_equal(c->log.format, LOG_FORMAT_JSON);
	assert_int_equal(c->log.level, LOG_LEVEL_NOTICE);
	assert_int_equal(c->destination_count, 2);
	assert_string_equal(d->name, "a.b-c_1");
	assert_int_equal(d->events.count, 2);
	assert_string_equal(d->events.items[1], "note_deletion");
	assert_string_equal(d->communities.items[0], "A");
	assert_int_equal(d->headers.count, 2);
	assert_string_equal(d->headers.items[1], "Authorization: Basic x=");
	assert_int_equal(d->timeout_ms, 1000);
	assert_int_equal(d->concurrency, 64);
	assert_int_equal(d->order, DESTINATION_ORDER_NONE);
	assert_int_equal(d->retry_for_ms, 86400000);
	assert_int_equal(d->secrets.count, 3);
	assert_string_equal(d->secrets.items[1], OTHER_SECRET);
	assert_string_equal(d->ca_file, "/etc/ca.pem");
	assert_string_equal(d->proxy, "http://u:p@proxy.example.com:3128");
	assert_true(d->allow_private);
	assert_int_equal(d[1].concurrency, 8);
	config_drop(c);
}

static void
the_values_of_endpoint_are_checked(void **state)
{
	static const struct value values[] = {{"max_body", "1K", NULL},
	    {"max_body", "65536K", NULL},
	    {"max_body", "1023", "has no unit; write 1023K, 1023M or 1023G"},
	    {"max_body", "65M",
		"x.conf:2: max_body: \"65M\" is too large; write a size "
		"from 1K to 64M"},
	    {"max_body", "0", "too small"},
	    {"max_body", "1.5M", "\"1.5M\" is not a size"},
	    {"max_body", "1m", "\"1m\" is not a size"},
	    {"max_body", "-1K", "not a size"},
	    {"max_body", "99999999999999999999K", "too large"},
	    {"max_body", "9999999999999999G", "too large"},
	    {"max_body", "", "\"\" is not a size"}, {"threads", "1", NULL},
	    {"threads", "0",
		"\"0\" is too small; write a number from 1 to 256"},
	    {"threads", "257", "too large"},
	    {"threads", "4K", "\"4K\" is not a number"},
	    {"body_timeout", "11s", NULL},
	    {"body_timeout", "12s", "are together not below 20s"},
	    {"body_timeout", "10", "write 10s, 10m, 10h or 10d"},
	    {"body_timeout", "0", "from 1s to 18s"},
	    {"body_timeout", "1m", "too large"},
	    {"capture_timeout", "9s", NULL},
	    {"capture_timeout", "10s", "are together not below 20s"},
	    {"capture_timeout", "10 s", "\"10 s\" is not a duration"},
	    {"community", "a,,b", "empty item"},
	    {"community", "", "empty item"},
	    {"path_key_file", "key", "absolute path"},
	    {"verify_token_file", "", "absolute path"}, {NULL, NULL, NULL}};

	(void)state;
	judge("[endpoint]", "", values);
}

static void
the_values_of_spool_relay_and_log_are_checked(void **state)
{
	static const struct value spool[] = {
	    {"path", "spool", "does not begin with /"},
	    {"min_free", "1K", NULL}, {"min_free", "1", "\"1\" has no unit"},
	    {"max_size", "1024G", NULL}, {"max_size", "1025G", "too large"},
	    {"retain", "1s", NULL}, {"retain", "3650d", NULL},
	    {"retain", "3651d", "too large"}, {"retain_dead", "90", "no unit"},
	    {"retain_refused", "1w", "\"1w\" is not a duration"},
	    {NULL, NULL, NULL}};
	static const struct value relay[] = {{"start", "on-demand", NULL},
	    {"start", "always",
		"\"always\" is not known; write on-demand or never"},
	    {"idle_exit", "1d", NULL}, {"idle_exit", "0", "from 1s to 1d"},
	    {"program", "hookspool", "absolute path"}, {NULL, NULL, NULL}};
	static const struct value log[] = {{"to", "stderr", NULL},
	    {"to", "syslog", NULL},
	    {"to", "log.txt", "auto, stderr, syslog or the absolute path"},
	    {"format", "text", NULL}, {"format", "xml", "text or json"},
	    {NULL, NULL, NULL}};

	(void)state;
	judge("[spool]", "", spool);
	judge("[relay]", "", relay);
	judge("[log]", "", log);
}

/* ---- sentences ---- */

static void
an_error_names_file_line_and_the_nearest_word(void **state)
{
	(void)state;
	refused("\n[endpoint]\nmax_boddy = 1M\n", CONFIG_ALL,
	    "/etc/x.conf:3: unknown key \"max_boddy\" in [endpoint]; did you "
	    "mean \"max_body\"?");
	refused("[endpoint]\nMax_Body = 1M\n", CONFIG_ALL,
	    "did you mean \"max_body\"?");
	refused(
	    "[spool]\nrelain = 1d\n", CONFIG_ALL, "did you mean \"retain\"?");
	refused("[spool]\nmax_body = 1M\n", CONFIG_ALL,
	    "unknown key \"max_body\" in [spool]; write it in [endpoint]");
	refused("[log]\nxyzzy = 1\n", CONFIG_ALL,
	    "/etc/x.conf:2: unknown key \"xyzzy\" in [log]");
	refused("[endpiont]\n", CONFIG_ALL,
	    "/etc/x.conf:1: unknown section \"endpiont\"; did you mean "
	    "[endpoint]?");
	refused("[something]\n", CONFIG_ALL, "write [endpoint], [spool]");
	refused("max_body = 1M\n[endpoint]\n", CONFIG_ALL,
	    "x.conf:1: \"max_body\" is before the first section");
	refused("[endpoint]\nthreads = 1\nthreads = 2\n", CONFIG_ALL,
	    "x.conf:3: \"threads\" is there twice, first in line 2");
	refused("[log]\n[spool]\n[log]\n", CONFIG_ALL,
	    "x.conf:3: section [log] is there twice, first in line 1");
	refused("[destination a]\n" URL "[destination a]\n" URL, CONFIG_ALL,
	    "x.conf:3: [destination a] is there twice");
	refused(
	    "[spool big]\n", CONFIG_ALL, "[spool] has a name; write [spool]");
	refused("[destination]\n", CONFIG_ALL, "[destination NAME]");
	refused("[destination a b]\n", CONFIG_ALL, "[destination NAME]");
	refused("\n[destination a]\ntimeout = 1s\n\n[log]\n", CONFIG_ALL,
	    "x.conf:2: [destination a] has no url");
	refused("[destination a]\n", CONFIG_ALL, "[destination a] has no url");
	refused("[endpoint]\nthreads 3\n", CONFIG_ALL,
	    "x.conf:2: the line has no =");
}

static void
a_key_may_come_again_in_another_destination(void **state)
{
	(void)state;
	config_drop(accepted("[destination a]\n" URL "timeout = 2s\n"
			     "[destination b]\n" URL "timeout = 3s\n",
	    CONFIG_ALL));
}

static void
no_error_quotes_a_secret(void **state)
{
	static const char *const texts[] = {
	    "[endpoint]\nverify_token = s3cret,,\n",
	    "[endpoint]\npath_key = s3cret/x\n",
	    "[destination a]\nheader = Host: s3cret\n",
	    "[destination a]\nheader = s3cret\n",
	    "[destination a]\nurl = htps://u:s3cret@a/s3cret\n",
	    "[destination a]\nurl = https://u:s3cret/s3cret@a b/s3cret\n",
	    "[destination a]\nproxy = http://u:s3cret@a\n",
	    "[destination a]\nsecret = s3cret\n",
	    "[destination a]\nsecret = whsec_s3cret\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_null(parse(texts[i], CONFIG_ALL));
		assert_non_null(strstr(buf_text(&why), "x.conf:2: "));
		assert_null(strstr(buf_text(&why), "s3cret"));
	}
}

static void
what_is_quoted_is_escaped_and_cut(void **state)
{
	char text[1024] = "[endpoint]\nthreads = \xc2\x9b";

	(void)state;
	memset(text + strlen(text), 'x', 500);
	refused(text, CONFIG_ALL, "\"\\xc2\\x9bxxx");
	assert_non_null(strstr(buf_text(&why), "x...\""));
	assert_true(strlen(buf_text(&why)) < 250);
}

/* ---- the endpoint's scope ---- */

static void
errors_elsewhere_do_not_concern_the_endpoint(void **state)
{
	struct config *c =
	    accepted("[relay]\nstart = sometimes\nidle_exit = 7s\nnonsense\n"
		     "[relay]\nx = y\n[relay x]\n"
		     "[destination]\n\x01\n[destination a]\nbad = key\n"
		     "[unknown thing]\nx\n[destinatio\nurl\n"
		     "[endpoint]\nthreads = 7\n[whatever",
		CONFIG_ENDPOINT);

	(void)state;
	assert_int_equal(c->endpoint.threads, 7);
	assert_int_equal(c->relay.idle_exit_ms, 7000);
	assert_true(c->relay.is_on_demand);
	assert_int_equal(c->destination_count, 0);
	config_drop(c);
}

static void
errors_in_its_own_sections_concern_the_endpoint(void **state)
{
	(void)state;
	refused("[endpoint]\nbad\n", CONFIG_ENDPOINT, "x.conf:2: ");
	refused("[spool]\npath = x\n", CONFIG_ENDPOINT, "x.conf:2: ");
	refused("[log]\nto = x\n", CONFIG_ENDPOINT, "x.conf:2: ");
	refused("[endpoint x]\n", CONFIG_ENDPOINT, "x.conf:1: ");
	refused("x = y\n", CONFIG_ENDPOINT, "before the first section");
}

static void
a_misspelt_section_of_its_own_concerns_the_endpoint(void **state)
{
	static const char *const heads[] = {"[endpont]", "[Endpoint]",
	    "[ENDPOINT]", "[endpoint", "[spoool]", "[spol]", "[lgo]", "[logs]",
	    "[spool]]", "[ spool"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof heads / sizeof heads[0]; i++)
		refused(heads[i], CONFIG_ENDPOINT, "x.conf:1: ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_configuration_lasts_until_its_last_user_drops_it),
	    cmocka_unit_test(an_empty_file_gives_the_documented_defaults),
	    cmocka_unit_test(a_destination_needs_no_more_than_a_url),
	    cmocka_unit_test(every_key_is_read_into_its_place),
	    cmocka_unit_test(the_values_of_endpoint_are_checked),
	    cmocka_unit_test(the_values_of_spool_relay_and_log_are_checked),
	    cmocka_unit_test(an_error_names_file_line_and_the_nearest_word),
	    cmocka_unit_test(a_key_may_come_again_in_another_destination),
	    cmocka_unit_test(no_error_quotes_a_secret),
	    cmocka_unit_test(what_is_quoted_is_escaped_and_cut),
	    cmocka_unit_test(errors_elsewhere_do_not_concern_the_endpoint),
	    cmocka_unit_test(errors_in_its_own_sections_concern_the_endpoint),
	    cmocka_unit_test(
		a_misspelt_section_of_its_own_concerns_the_endpoint),
	};

	return cmocka_run_group_tests_name("config", tests, set_up, tear_down);
}
