/*
 * The configuration: every key good, bad and at its bounds; what an error
 * says; what concerns the endpoint; secrets; noticing changes; the last good
 * configuration.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define URL "url = https://crm.example.com/hook\n"

static char folder[64];
static struct buf why;

static struct config *
parse(const char *text, enum config_scope scope)
{
	return config_parse("/etc/x.conf", text, strlen(text), scope, &why);
}

/* The text is refused, and the sentence holds every part. */
static void
refused(const char *text, enum config_scope scope, const char *part)
{
	struct config *config = parse(text, scope);

	if (config != NULL || strstr(buf_text(&why), part) == NULL)
		print_error("text: %s\nsaid: %s\nwanted: %s\n", text,
		    buf_text(&why), part);
	assert_null(config);
	assert_non_null(strstr(buf_text(&why), part));
}

static struct config *
accepted(const char *text, enum config_scope scope)
{
	struct config *config = parse(text, scope);

	if (config == NULL)
		print_error("text: %s\nsaid: %s\n", text, buf_text(&why));
	assert_non_null(config);
	assert_string_equal(buf_text(&why), "");
	return config;
}

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
	assert_null(c->relay.program);
	assert_int_equal(c->log.target, LOG_TARGET_AUTO);
	assert_int_equal(c->log.format, LOG_FORMAT_TEXT);
	assert_int_equal(c->destination_count, 0);
	config_free(c);
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
	assert_null(d->ca_file);
	assert_false(d->allow_private);
	config_free(c);
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
	    "[destination a.b-c_1]\nurl = http://[::1]:8080/x?y=z\n"
	    "events = ticket_*, note_deletion\ncommunity = A\n"
	    "header = X-Api-Key: 123\nheader = Authorization: Basic x=\n"
	    "timeout = 1s\nconcurrency = 64\norder = none\nretry_for = 1d\n"
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
	assert_string_equal(d->ca_file, "/etc/ca.pem");
	assert_true(d->allow_private);
	assert_int_equal(d[1].concurrency, 8);
	config_free(c);
}

/* A value of a key, and what is said of it; NULL: it is fine. */
struct value {
	const char *key;
	const char *text;
	const char *said;
};

static void
judge(const char *head, const char *tail, const struct value *values)
{
	char text[4096];

	for (; values->key != NULL; values++) {
		snprintf(text, sizeof text, "%s\n%s = %s\n%s", head,
		    values->key, values->text, tail);
		if (values->said != NULL)
			refused(text, CONFIG_ALL, values->said);
		else
			config_free(accepted(text, CONFIG_ALL));
	}
}

static void
the_values_of_endpoint_are_checked(void **state)
{
	static const struct value values[] = {{"max_body", "1K", NULL},
	    {"max_body", "65536K", NULL},
	    {"max_body", "1023", "no unit: K, M or G"},
	    {"max_body", "65M",
		"x.conf:2: max_body: expected a size from 1K to 64M; got "
		"\"65M\", which is too large"},
	    {"max_body", "0", "too small"},
	    {"max_body", "1.5M", "got \"1.5M\""},
	    {"max_body", "1m", "got \"1m\""}, {"max_body", "-1K", "no number"},
	    {"max_body", "99999999999999999999K", "too large"},
	    {"max_body", "9999999999999999G", "too large"},
	    {"max_body", "", "got \"\""}, {"threads", "1", NULL},
	    {"threads", "0", "expected a number from 1 to 256; got \"0\""},
	    {"threads", "257", "too large"}, {"threads", "4K", "got \"4K\""},
	    {"body_timeout", "11s", NULL},
	    {"body_timeout", "12s", "must together be below 20s"},
	    {"body_timeout", "10", "no unit: s, m, h or d"},
	    {"body_timeout", "0", "from 1s to 18s"},
	    {"body_timeout", "1m", "too large"},
	    {"capture_timeout", "9s", NULL},
	    {"capture_timeout", "10s", "must together be below 20s"},
	    {"capture_timeout", "10 s", "got \"10 s\""},
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
	    {"min_free", "1M", NULL},
	    {"min_free", "1K", "from 1M to 1024G, or 0; got \"1K\""},
	    {"max_size", "1024G", NULL}, {"max_size", "1025G", "too large"},
	    {"retain", "1s", NULL}, {"retain", "3650d", NULL},
	    {"retain", "3651d", "too large"}, {"retain_dead", "90", "no unit"},
	    {"retain_refused", "1w", "got \"1w\""}, {NULL, NULL, NULL}};
	static const struct value relay[] = {{"start", "on-demand", NULL},
	    {"start", "always", "expected on-demand or never; got \"always\""},
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
	    {"secret", "s", "secret: not supported by this version yet"},
	    {"secret_file", "/s", "secret_file: not supported"},
	    {"client_cert", "/c", "client_cert: not supported"},
	    {"client_key", "/k", "client_key: not supported"},
	    {"proxy", "http://p", "proxy: not supported"},
	    {"header", "X-Empty:", "has no value"},
	    {"header", "no colon", "Name: value"},
	    {"header", ": x", "Name: value"},
	    {"header", "Ho st: x", "Name: value"},
	    {"header", "host: x", "would replace a header"},
	    {"header", "Content-Length: 0", "would replace a header"},
	    {"header", "CONTENT-type: x", "would replace a header"},
	    {"header", "Transfer-Encoding: x", "would replace a header"},
	    {"header", "Webhook-Id: x", "would replace a header"},
	    {"header", "Content-Language: sv", NULL}, {NULL, NULL, NULL}};

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
	    {"url", "ftp://a", "neither https:// nor http://"},
	    {"url", "crm.example.com", "neither https:// nor http://"},
	    {"url", "", "neither https:// nor http://"},
	    {"url", "https://", "names no host"},
	    {"url", "https:///x", "names no host"},
	    {"url", "https://:80/", "names no host"},
	    {"url", "https://user@/", "names no host"},
	    {"url", "https://[::1", "lacks a ]"},
	    {"url", "https://a:0/", "no number from 1 to 65535"},
	    {"url", "https://a:65536/", "no number from 1 to 65535"},
	    {"url", "https://a:/", "no number from 1 to 65535"},
	    {"url", "https://a:8x/", "no number from 1 to 65535"},
	    {"url", "https://a b/", "has a blank"},
	    {"url", "https://a\\@b/", "a backslash"},
	    {"url", "https://a(b)/", "character that no host has"},
	    {"url", "https://\xc3\xa5.se/", "got \"https://\\xc3\\xa5.se/\""},
	    {NULL, NULL, NULL}};

	(void)state;
	judge("[destination x]", "", values);
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
	    "unknown key \"max_body\" in [spool]; it belongs in [endpoint]");
	refused("[log]\nxyzzy = 1\n", CONFIG_ALL,
	    "/etc/x.conf:2: unknown key \"xyzzy\" in [log]");
	refused("[endpiont]\n", CONFIG_ALL,
	    "/etc/x.conf:1: unknown section \"endpiont\"; did you mean "
	    "[endpoint]?");
	refused("[something]\n", CONFIG_ALL, "there are [endpoint], [spool]");
	refused("max_body = 1M\n[endpoint]\n", CONFIG_ALL,
	    "x.conf:1: \"max_body\" stands before any [section]");
	refused("[endpoint]\nthreads = 1\nthreads = 2\n", CONFIG_ALL,
	    "x.conf:3: \"threads\" is there twice, first in line 2");
	refused("[log]\n[spool]\n[log]\n", CONFIG_ALL,
	    "x.conf:3: section [log] is there twice, first in line 1");
	refused("[destination a]\n" URL "[destination a]\n" URL, CONFIG_ALL,
	    "x.conf:3: [destination a] is there twice");
	refused("[spool big]\n", CONFIG_ALL, "[spool] takes no name");
	refused("[destination]\n", CONFIG_ALL, "[destination NAME]");
	refused("[destination a b]\n", CONFIG_ALL, "[destination NAME]");
	refused("\n[destination a]\ntimeout = 1s\n\n[log]\n", CONFIG_ALL,
	    "x.conf:2: [destination a] has no url");
	refused("[destination a]\n", CONFIG_ALL, "[destination a] has no url");
	refused("[endpoint]\nthreads 3\n", CONFIG_ALL, "x.conf:2: expected");
}

static void
a_key_may_come_again_in_another_destination(void **state)
{
	(void)state;
	config_free(accepted("[destination a]\n" URL "timeout = 2s\n"
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
	    "[destination a]\nsecret = s3cret\n"};
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
	config_free(c);
}

static void
errors_in_its_own_sections_concern_the_endpoint(void **state)
{
	(void)state;
	refused("[endpoint]\nbad\n", CONFIG_ENDPOINT, "x.conf:2: ");
	refused("[spool]\npath = x\n", CONFIG_ENDPOINT, "x.conf:2: ");
	refused("[log]\nto = x\n", CONFIG_ENDPOINT, "x.conf:2: ");
	refused("[endpoint x]\n", CONFIG_ENDPOINT, "x.conf:1: ");
	refused("x = y\n", CONFIG_ENDPOINT, "before any [section]");
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

/* ---- files ---- */

static char *
join(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static char *
write_file(const char *name, const char *text, mode_t mode)
{
	char *path = join(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static void
a_file_that_others_can_read_is_refused(void **state)
{
	const char *path = write_file("open.conf", "[log]\n", 0644);
	char mend[160];

	(void)state;
	assert_null(config_load(path, CONFIG_ALL, &why));
	snprintf(mend, sizeof mend, "chmod o= %s", path);
	assert_non_null(strstr(buf_text(&why), mend));
	assert_null(config_load(join("missing"), CONFIG_ALL, &why));
	assert_non_null(strstr(buf_text(&why), "No such file"));
	assert_null(config_load(folder, CONFIG_ALL, &why));
	assert_non_null(strstr(buf_text(&why), "not a regular file"));
}

static void
secret_files_hold_one_secret_a_line(void **state)
{
	struct config *c;
	char text[512];

	(void)state;
	snprintf(text, sizeof text,
	    "[endpoint]\nverify_token = inline\nverify_token_file = %s\n"
	    "path_key_file = %s\n",
	    write_file("tokens", "# old\r\n\n  one two,three \r\n\tfour", 0640),
	    write_file("keys", "abc\n", 0600));
	c = accepted(text, CONFIG_ENDPOINT);
	assert_int_equal(c->endpoint.verify_tokens.count, 3);
	assert_string_equal(c->endpoint.verify_tokens.items[0], "inline");
	assert_string_equal(
	    c->endpoint.verify_tokens.items[1], "one two,three");
	assert_string_equal(c->endpoint.verify_tokens.items[2], "four");
	assert_null(c->endpoint.verify_tokens_problem);
	assert_string_equal(c->endpoint.path_keys.items[0], "abc");
	assert_null(c->endpoint.path_keys_problem);
	config_free(c);
}

/* What the problem of a path key file says, freed with the configuration. */
static void
key_file_problem(const char *path, const char *part)
{
	struct config *c;
	char text[512];

	snprintf(text, sizeof text, "[endpoint]\npath_key_file = %s\n", path);
	c = accepted(text, CONFIG_ENDPOINT);
	assert_non_null(c->endpoint.path_keys_problem);
	if (strstr(c->endpoint.path_keys_problem, part) == NULL)
		print_error("said: %s\n", c->endpoint.path_keys_problem);
	assert_non_null(strstr(c->endpoint.path_keys_problem, part));
	assert_null(strstr(c->endpoint.path_keys_problem, "s3cret"));
	config_free(c);
}

static void
a_bad_secret_file_is_a_problem_and_no_error(void **state)
{
	(void)state;
	key_file_problem("/nonexistent/keys", "No such file");
	key_file_problem(write_file("k1", "s3cret\n", 0604), "chmod o= ");
	key_file_problem(write_file("k2", "\n# s3cret\n", 0600), "no secret");
	key_file_problem(write_file("k3", "ok\ns3cret/\n", 0600), "k3:2: ");
	key_file_problem(folder, "not a regular file");
}

static void
a_change_of_any_file_is_noticed(void **state)
{
	struct config *c;
	char text[512];
	char *path;

	(void)state;
	snprintf(text, sizeof text, "[endpoint]\nverify_token_file = %s\n",
	    join("late"));
	unlink(join("late"));
	path = write_file("watched.conf", text, 0600);
	c = config_load(path, CONFIG_ENDPOINT, &why);
	assert_non_null(c);
	assert_non_null(c->endpoint.verify_tokens_problem);
	assert_false(config_is_stale(c));
	write_file("late", "token\n", 0600);
	assert_true(config_is_stale(c));
	config_free(c);

	c = config_load(path, CONFIG_ENDPOINT, &why);
	assert_null(c->endpoint.verify_tokens_problem);
	assert_false(config_is_stale(c));
	assert_int_equal(chmod(path, 0640), 0);
	assert_true(config_is_stale(c));
	config_free(c);

	c = config_load(path, CONFIG_ENDPOINT, &why);
	assert_false(config_is_stale(c));
	assert_int_equal(rename(path, join("moved")), 0);
	assert_true(config_is_stale(c));
	config_free(c);
}

/* ---- the last good configuration ---- */

static struct config *
load_with_spool(const char *name, const char *more, enum config_scope scope)
{
	char text[1024];

	mkdir(join("spool"), 0700);
	snprintf(
	    text, sizeof text, "%s\n[spool]\npath = %s\n", more, join("spool"));
	return config_load(write_file(name, text, 0600), scope, &why);
}

static void
the_last_good_configuration_stands_in_for_a_bad_one(void **state)
{
	struct config *c = load_with_spool("good.conf",
	    "[destination a]\nheader = X: s3cret\n"
	    "[endpoint]\n  verify_token = t1 \n[relay]\nstart = never",
	    CONFIG_ENDPOINT);
	char kept[4096] = "";
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(c);
	assert_true(config_keep(c, &why));
	assert_true(config_keep(c, &why));
	config_free(c);

	fd = open(join("spool/endpoint.conf"), O_RDONLY);
	assert_true(fd >= 0);
	assert_true(read(fd, kept, sizeof kept - 1) > 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_null(strstr(kept, "s3cret"));
	assert_non_null(strstr(kept, "[endpoint]\n  verify_token = t1 \n"));

	assert_null(load_with_spool(
	    "good.conf", "[endpoint]\nthreds = 1", CONFIG_ENDPOINT));
	c = config_load_kept(join("good.conf"), &why);
	assert_non_null(c);
	assert_string_equal(c->path, join("good.conf"));
	assert_string_equal(c->spool.path, join("spool"));
	assert_string_equal(c->endpoint.verify_tokens.items[0], "t1");
	assert_false(c->relay.is_on_demand);
	assert_false(config_is_stale(c));
	write_file("good.conf", "[log]\n", 0600);
	assert_true(config_is_stale(c));
	config_free(c);
}

static void
who_shares_the_spool_shares_what_is_kept(void **state)
{
	struct config *c;
	struct stat st;

	(void)state;
	c = load_with_spool(
	    "shared.conf", "[endpoint]\nthreads = 5", CONFIG_ENDPOINT);
	assert_int_equal(chmod(join("spool"), 0770), 0);
	assert_true(config_keep(c, &why));
	assert_int_equal(stat(join("spool/endpoint.conf"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	config_free(c);
}

static void
without_a_kept_configuration_the_sentence_says_so(void **state)
{
	struct config *c;
	char text[256];

	(void)state;
	snprintf(text, sizeof text, "[spool]\npath = %s\n[endpoint]\nbad\n",
	    join("nowhere"));
	assert_null(config_load_kept(write_file("bad.conf", text, 0600), &why));
	assert_non_null(strstr(buf_text(&why), "nowhere/endpoint.conf"));
	snprintf(text, sizeof text, "[spool]\npath = %s\n", join("nowhere"));
	c = accepted(text, CONFIG_ENDPOINT);
	assert_false(config_keep(c, &why));
	assert_non_null(strstr(buf_text(&why), "nowhere"));
	config_free(c);
}

/* ---- the rest ---- */

static void
the_file_is_found_by_option_environment_or_default(void **state)
{
	char here[4096], *path;

	(void)state;
	setenv("HOOKSPOOL_CONF", "/from/environment", 1);
	path = config_find("/from/option");
	assert_string_equal(path, "/from/option");
	free(path);
	path = config_find(NULL);
	assert_string_equal(path, "/from/environment");
	free(path);
	setenv("HOOKSPOOL_CONF", "", 1);
	path = config_find(NULL);
	assert_string_equal(path, CONFIG_DEFAULT_PATH);
	free(path);
	path = config_find("relative");
	assert_non_null(getcwd(here, sizeof here));
	assert_memory_equal(path, here, strlen(here));
	assert_string_equal(path + strlen(here), "/relative");
	free(path);
}

static void
patterns_match_like_file_names(void **state)
{
	struct config *c = accepted(
	    "[destination a]\n" URL "events = ticket_*, n?te\n", CONFIG_ALL);
	const struct text_list *events = &c->destinations[0].events;

	(void)state;
	assert_true(config_matches(events, "ticket_status_change"));
	assert_true(config_matches(events, "note"));
	assert_false(config_matches(events, "note_deletion"));
	assert_false(config_matches(events, NULL));
	assert_true(config_matches(&c->destinations[0].communities, NULL));
	assert_false(config_matches(&c->endpoint.communities, "x"));
	config_free(c);
	config_free(NULL);
}

static int
set_up(void **state)
{
	(void)state;
	buf_init(&why, 16384);
	snprintf(folder, sizeof folder, "/tmp/hookspool-test-config-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	buf_free(&why);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_file_gives_the_documented_defaults),
	    cmocka_unit_test(a_destination_needs_no_more_than_a_url),
	    cmocka_unit_test(every_key_is_read_into_its_place),
	    cmocka_unit_test(the_values_of_endpoint_are_checked),
	    cmocka_unit_test(the_values_of_spool_relay_and_log_are_checked),
	    cmocka_unit_test(the_values_of_a_destination_are_checked),
	    cmocka_unit_test(a_url_is_http_or_https_with_a_host),
	    cmocka_unit_test(an_error_names_file_line_and_the_nearest_word),
	    cmocka_unit_test(a_key_may_come_again_in_another_destination),
	    cmocka_unit_test(no_error_quotes_a_secret),
	    cmocka_unit_test(what_is_quoted_is_escaped_and_cut),
	    cmocka_unit_test(errors_elsewhere_do_not_concern_the_endpoint),
	    cmocka_unit_test(errors_in_its_own_sections_concern_the_endpoint),
	    cmocka_unit_test(
		a_misspelt_section_of_its_own_concerns_the_endpoint),
	    cmocka_unit_test(a_file_that_others_can_read_is_refused),
	    cmocka_unit_test(secret_files_hold_one_secret_a_line),
	    cmocka_unit_test(a_bad_secret_file_is_a_problem_and_no_error),
	    cmocka_unit_test(a_change_of_any_file_is_noticed),
	    cmocka_unit_test(
		the_last_good_configuration_stands_in_for_a_bad_one),
	    cmocka_unit_test(who_shares_the_spool_shares_what_is_kept),
	    cmocka_unit_test(without_a_kept_configuration_the_sentence_says_so),
	    cmocka_unit_test(
		the_file_is_found_by_option_environment_or_default),
	    cmocka_unit_test(patterns_match_like_file_names),
	};

	return cmocka_run_group_tests_name("config", tests, set_up, tear_down);
}
