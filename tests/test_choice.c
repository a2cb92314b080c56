/*
 * Which configuration the endpoint uses, and where the last good one is found.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/choice.h"
#include "conf/conf.h"

#define WHOLE "[endpoint]\nverify_token = t\npath_key = k\n"

static char folder[64];
static struct buf why;

static char *
join(const char *name)
{
	static char paths[64][128];
	static unsigned turn;
	char *path = paths[turn++ % 64];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

/* Writes the configuration with the spool in a folder of that name, which it
 * makes (NULL: without one). */
static char *
write_config(const char *name, const char *text, const char *spool)
{
	char *path = join(name);
	FILE *file;

	umask(0077);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	if (spool != NULL) {
		mkdir(join(spool), 0700);
		fprintf(file, "[spool]\npath = %s\n", join(spool));
	}
	fclose(file);
	return path;
}

static struct config *
loaded(const char *path)
{
	struct config *config = config_load(path, CONFIG_ENDPOINT, &why);

	if (config == NULL)
		print_error("said: %s\n", buf_text(&why));
	assert_non_null(config);
	return config;
}

static void
keep(const char *path)
{
	struct config *config = loaded(path);

	assert_true(config_keep(config, config->spool.path, &why));
	config_drop(config);
}

/* Long after every file was changed. */
static int64_t
late_ms(void)
{
	return INT64_C(4102444800000);
}

static const struct clock *system_clock;
static struct clock late;

static void
loses(const char *before, const char *now, const char *loss)
{
	struct config *a = loaded(write_config("a", before, NULL));
	struct config *b = loaded(write_config("b", now, NULL));
	const char *found = choice_find_loss(b, a);

	if (loss == NULL)
		assert_null(found);
	else
		assert_string_equal(found, loss);
	config_drop(a);
	config_drop(b);
}

static void
what_a_file_has_lost_is_found(void **state)
{
	(void)state;
	loses(WHOLE, WHOLE, NULL);
	loses(WHOLE, "[endpoint]\npath_key = other\n", NULL);
	loses(WHOLE, "[endpoint]\npath_key_file = /nonexistent\n", NULL);
	loses(WHOLE, "[endpoint]\nverify_token = t\n", "its path keys");
	loses(WHOLE, "", "all of [endpoint]");
	loses(WHOLE, "[endpoint]\n", "all of [endpoint]");
	loses("[endpoint]\nverify_token = t\n", "[log]\nto = stderr\n",
	    "all of [endpoint]");
	loses("[spool]\npath = /srv/spool\n", "[spool]\nretain = 1d\n",
	    "the path of the spool");
	loses("", WHOLE, NULL);
}

static void
at_a_start_what_was_cut_short_or_has_just_changed_is_passed_over(void **state)
{
	char *path = write_config("x.conf", WHOLE, "spool");
	struct choice choice;

	(void)state;
	choose_at_start(path, &choice, &why);
	assert_false(choice.is_kept); /* nothing is kept to compare with */
	assert_string_equal(buf_text(&why), "");
	config_drop(choice.config);

	keep(path);
	choose_at_start(path, &choice, &why);
	assert_false(choice.is_kept); /* the same */
	config_drop(choice.config);

	write_config("x.conf", WHOLE "threads = 7\n", "spool");
	choose_at_start(path, &choice, &why);
	assert_true(choice.is_kept && choice.is_passing);
	assert_string_equal(buf_text(&why), "");
	assert_int_not_equal(choice.config->endpoint.threads, 7);
	config_drop(choice.config);

	late = *system_clock;
	late.wall_ms = late_ms;
	clock_source = &late;
	choose_at_start(path, &choice, &why);
	assert_false(choice.is_kept || choice.is_passing);
	assert_int_equal(choice.config->endpoint.threads, 7);
	config_drop(choice.config);

	write_config("x.conf", "[endpoint]\nverify_token = t\n", "spool");
	choose_at_start(path, &choice, &why);
	assert_true(choice.is_kept && !choice.is_passing);
	assert_non_null(strstr(buf_text(&why), "its path keys"));
	assert_non_null(strstr(buf_text(&why), "/spool/endpoint.conf"));
	assert_int_equal(choice.config->endpoint.path_keys.count, 1);
	config_drop(choice.config);
}

static void
secrets_that_cannot_be_read_any_more_stay(void **state)
{
	struct config *before = loaded(write_config("x.conf", WHOLE, "spool"));
	struct config *now = loaded(write_config("y.conf",
	    "[endpoint]\nverify_token_file = /nonexistent/t\n"
	    "path_key_file = /nonexistent/k\n",
	    "spool"));
	struct buf said;

	(void)state;
	buf_init(&said, 4096);
	choice_carry_secrets(now, before, &said);
	assert_non_null(strstr(buf_text(&said), "/nonexistent/t"));
	assert_non_null(strstr(buf_text(&said), "/nonexistent/k"));
	assert_null(now->endpoint.path_keys_problem);
	assert_string_equal(now->endpoint.path_keys.items[0], "k");
	assert_null(now->endpoint.verify_tokens_problem);
	assert_string_equal(now->endpoint.verify_tokens.items[0], "t");
	choice_carry_secrets(before, now, &said);
	assert_string_equal(buf_text(&said), "");
	buf_free(&said);
	config_drop(before);
	config_drop(now);
}

/* The spool of the last good configuration for the file, or NULL. */
static void
finds(const char *path, const char *spool)
{
	struct config *config = config_load_kept(path, &why);

	if (spool == NULL) {
		assert_null(config);
		return;
	}
	if (config == NULL)
		print_error("said: %s\n", buf_text(&why));
	assert_non_null(config);
	assert_string_equal(config->spool.path, spool);
	config_drop(config);
}

static void
what_is_kept_is_found_by_the_link_beside_the_file(void **state)
{
	char *path = write_config("x.conf", WHOLE, "spool");
	struct config *config = loaded(path);
	char *noted;

	(void)state;
	keep(path);
	assert_int_equal(unlink(path), 0);
	finds(path, NULL);
	config_note_spool(config);
	noted = config_noted_spool_dup(path);
	assert_string_equal(noted, join("spool"));
	free(noted);
	finds(path, join("spool"));
	config_drop(config);
}

static void
what_is_kept_for_another_file_is_not_found_by_a_link(void **state)
{
	char *path = write_config("x.conf", WHOLE, "spool");
	struct config *config = loaded(path);

	(void)state;
	keep(path);
	config_drop(config);
	assert_int_equal(symlink(join("spool"), join("other.conf.spool")), 0);
	finds(join("other.conf"), NULL);
}

static void
an_old_spool_leads_to_the_new_one(void **state)
{
	char *path = write_config("x.conf", WHOLE, "old");
	struct config *config = loaded(path);

	(void)state;
	config_note_spool(config);
	config_drop(config);
	write_config("x.conf", WHOLE, "new");
	config = loaded(path);
	assert_true(config_keep(config, join("old"), &why));
	assert_true(config_keep(config, join("new"), &why));
	config_drop(config);
	assert_int_equal(unlink(path), 0);
	finds(path, join("new"));
	assert_int_equal(unlink(join("new/endpoint.conf")), 0);
	finds(path, NULL);
}

static int
set_up(void **state)
{
	(void)state;
	system_clock = clock_source;
	buf_init(&why, 16384);
	snprintf(folder, sizeof folder, "/tmp/hookspool-test-choice-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	clock_source = system_clock;
	buf_free(&why);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

int
main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(what_a_file_has_lost_is_found),
	    TEST(
		at_a_start_what_was_cut_short_or_has_just_changed_is_passed_over),
	    TEST(secrets_that_cannot_be_read_any_more_stay),
	    TEST(what_is_kept_is_found_by_the_link_beside_the_file),
	    TEST(what_is_kept_for_another_file_is_not_found_by_a_link),
	    TEST(an_old_spool_leads_to_the_new_one),
	};

	return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
