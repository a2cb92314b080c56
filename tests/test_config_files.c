/*
 * The configuration as files: modes, secrets, noticing changes, the last
 * good configuration, finding the file.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"

#define SECRET "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"

/* No more of the form than is looked at. */
#define CERT "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
#define KEY  "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"

static char folder[64];
static struct buf why;

static struct config *
accepted(const char *text, enum config_scope scope)
{
	struct config *config =
	    config_parse("/etc/x.conf", text, strlen(text), scope, &why);

	if (config == NULL)
		print_error("text: %s\nsaid: %s\n", text, buf_text(&why));
	assert_non_null(config);
	return config;
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
	config_drop(c);
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
	config_drop(c);
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

/* A destination with the line `key = path`. */
static const char *
destination_with(const char *key, const char *path)
{
	static char text[512];

	snprintf(text, sizeof text,
	    "[destination crm]\nurl = https://crm.example.com\n%s = %s\n", key,
	    path);
	return text;
}

static void
a_destination_has_its_secrets_from_both_places(void **state)
{
	char text[1024];
	struct config *c;

	(void)state;
	snprintf(text, sizeof text, "%ssecret = " SECRET "\n",
	    destination_with(
		"secret_file", write_file("s", "# new\n" SECRET "\n", 0600)));
	c = accepted(text, CONFIG_ALL);
	assert_int_equal(c->destinations[0].secrets.count, 2);
	assert_string_equal(c->destinations[0].secrets.items[1], SECRET);
	assert_false(config_is_stale(c));
	write_file("s", "# newer\n" SECRET "\n", 0600);
	assert_true(config_is_stale(c));
	config_drop(c);
}

/* All of hookspool refuses it, saying so; the endpoint has no part in it. */
static void
refused_but_by_the_endpoint(const char *text, const char *part)
{
	assert_null(
	    config_parse("/etc/x.conf", text, strlen(text), CONFIG_ALL, &why));
	if (strstr(buf_text(&why), part) == NULL)
		print_error("said: %s\n", buf_text(&why));
	assert_non_null(strstr(buf_text(&why), part));
	assert_non_null(strstr(buf_text(&why), "[destination crm] "));
	assert_null(strstr(buf_text(&why), "s3cret"));
	config_drop(accepted(text, CONFIG_ENDPOINT));
}

static void
a_bad_file_of_a_destination_is_an_error(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *part;
	} files[] = {{SECRET "\n", 0604, "chmod o= "},
	    {"# s3cret\n", 0600, "no secret"},
	    {"\nwhsec_s3cret\n", 0600, "s1:2: "}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		refused_but_by_the_endpoint(
		    destination_with("secret_file",
			write_file("s1", files[i].text, files[i].mode)),
		    files[i].part);
	refused_but_by_the_endpoint(
	    destination_with("secret_file", "/nonexistent/s"),
	    "secret_file: /nonexistent/s: No such file");
}

/* A destination that uses these files. */
static char *
client_text(const char *cert, const char *key)
{
	static char text[1024];

	snprintf(text, sizeof text, "%sclient_key = %s\n",
	    destination_with("client_cert", cert), key);
	return text;
}

static void
a_client_certificate_is_read_with_its_key(void **state)
{
	char *cert = write_file("cert.pem", CERT, 0644);
	char *key = write_file("key.pem", KEY, 0600);
	struct config *c = accepted(client_text(cert, key), CONFIG_ALL);

	(void)state;
	assert_string_equal(c->destinations[0].client_cert_pem, CERT);
	assert_string_equal(c->destinations[0].client_key_pem, KEY);
	assert_false(config_is_stale(c));
	write_file("cert.pem", CERT CERT, 0644);
	assert_true(config_is_stale(c));
	config_drop(c);
}

static void
a_client_certificate_that_cannot_be_used_is_an_error(void **state)
{
	char *cert = write_file("cert.pem", CERT, 0644);
	char *key = write_file("key.pem", KEY, 0604);

	(void)state;
	refused_but_by_the_endpoint(client_text(cert, key), "chmod o= ");
	write_file("key.pem", KEY, 0600);
	refused_but_by_the_endpoint(
	    client_text("/nonexistent/c", key), "client_cert: /nonexistent/c");
	refused_but_by_the_endpoint(
	    client_text(key, key), "the certificate is missing in the file");
	refused_but_by_the_endpoint(client_text(cert, cert), "client_key: ");
	write_file(
	    "key.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\ns3cret\n", 0600);
	refused_but_by_the_endpoint(
	    client_text(cert, key), "the private key is encrypted");
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
	config_drop(c);

	c = config_load(path, CONFIG_ENDPOINT, &why);
	assert_null(c->endpoint.verify_tokens_problem);
	assert_false(config_is_stale(c));
	assert_int_equal(chmod(path, 0640), 0);
	assert_true(config_is_stale(c));
	config_drop(c);

	c = config_load(path, CONFIG_ENDPOINT, &why);
	assert_false(config_is_stale(c));
	assert_int_equal(rename(path, join("moved")), 0);
	assert_true(config_is_stale(c));
	config_drop(c);
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
	assert_true(config_keep(c, c->spool.path, &why));
	assert_true(config_keep(c, c->spool.path, &why));
	config_drop(c);

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
	config_drop(c);
}

/* The last good configuration, with 9 threads, is found from a bad file. */
static void
finds_the_kept_one(const char *path)
{
	struct config *c;

	assert_null(config_load(path, CONFIG_ENDPOINT, &why));
	c = config_load_kept(path, &why);
	if (c == NULL)
		print_error("said: %s\n", buf_text(&why));
	assert_non_null(c);
	assert_int_equal(c->endpoint.threads, 9);
	config_drop(c);
}

static void
whatever_is_bad_the_spool_is_found(void **state)
{
	static const char *const heads[] = {"[endpoint]\nx\n[spool]\npath",
	    "[spol]\npath", "[spool\npath", "path", "[spool]\npaht",
	    "[spool]\nx = y\npath"};
	struct config *c;
	char text[512];
	size_t i;

	(void)state;
	c = load_with_spool(
	    "nine.conf", "[endpoint]\nthreads = 9", CONFIG_ENDPOINT);
	assert_true(config_keep(c, c->spool.path, &why));
	config_drop(c);
	for (i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		snprintf(
		    text, sizeof text, "%s = %s\n", heads[i], join("spool"));
		finds_the_kept_one(write_file("bad.conf", text, 0600));
	}
	assert_int_equal(chmod(join("nine.conf"), 0644), 0);
	finds_the_kept_one(join("nine.conf"));
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
	assert_true(config_keep(c, c->spool.path, &why));
	assert_int_equal(stat(join("spool/endpoint.conf"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	config_drop(c);
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
	assert_false(config_keep(c, c->spool.path, &why));
	assert_non_null(strstr(buf_text(&why), "nowhere"));
	config_drop(c);
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
	    cmocka_unit_test(a_file_that_others_can_read_is_refused),
	    cmocka_unit_test(secret_files_hold_one_secret_a_line),
	    cmocka_unit_test(a_bad_secret_file_is_a_problem_and_no_error),
	    cmocka_unit_test(a_destination_has_its_secrets_from_both_places),
	    cmocka_unit_test(a_bad_file_of_a_destination_is_an_error),
	    cmocka_unit_test(a_client_certificate_is_read_with_its_key),
	    cmocka_unit_test(
		a_client_certificate_that_cannot_be_used_is_an_error),
	    cmocka_unit_test(a_change_of_any_file_is_noticed),
	    cmocka_unit_test(
		the_last_good_configuration_stands_in_for_a_bad_one),
	    cmocka_unit_test(whatever_is_bad_the_spool_is_found),
	    cmocka_unit_test(who_shares_the_spool_shares_what_is_kept),
	    cmocka_unit_test(without_a_kept_configuration_the_sentence_says_so),
	    cmocka_unit_test(
		the_file_is_found_by_option_environment_or_default),
	};

	return cmocka_run_group_tests_name(
	    "config files", tests, set_up, tear_down);
}
