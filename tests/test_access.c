/*
 * Who may use the spool: its owner repairs the modes, readers and other users
 * are told what to type.
 */
#include "config.h"

#include "unit.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "spool/store_internal.h"
#include "spool_fixture.h"

#define NAME_BYTES 512

static struct buf why;
static struct buf logged; /* the lines of the log */

static mode_t
mode_of(const char *path, const char *name)
{
	char *joined = fixture_join(path, name);
	struct stat found;

	assert_int_equal(stat(joined, &found), 0);
	free(joined);
	return found.st_mode & 07777;
}

static void
set_mode(const char *path, const char *name, mode_t mode)
{
	char *joined = fixture_join(path, name);

	assert_int_equal(chmod(joined, mode), 0);
	free(joined);
}

static void
give_to(const char *path, const char *name, uid_t uid)
{
	char *joined = fixture_join(path, name);

	assert_int_equal(chown(joined, uid, (gid_t)-1), 0);
	free(joined);
}

static void
holds(const struct buf *text, const char *part)
{
	if (strstr(buf_text(text), part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, buf_text(text));
}

static bool
take_line(void *arg, const char *line)
{
	(void)arg;
	return buf_add_text(&logged, line);
}

/* Opens, and leaves what was said in `why` and in the log. */
static enum store_status
open_as(const char *path, enum store_access access)
{
	struct store_options options = {.path = path, .access = access};
	struct store *store;
	enum store_status status;

	buf_clear(&logged);
	log_set_sink(take_line, NULL);
	status = store_open(&options, &store, &why);
	log_set_sink(NULL, NULL);
	store_close(store);
	return status;
}

/* Root, so that something can belong to somebody else; the name of who. */
static const char *
somebody_else(uid_t *uid)
{
	const struct passwd *user = getpwnam("nobody");

	if (geteuid() != 0 || user == NULL)
		skip();
	*uid = user->pw_uid;
	return user->pw_name;
}

static void
an_owner_closes_its_spool_to_others(void **state)
{
	struct fixture *fixture = *state;
	char said[NAME_BYTES];

	store_close(fixture->store);
	fixture->store = NULL;
	set_mode(fixture->path, ".", 0755);
	set_mode(fixture->path, DB_NAME, 0755);
	set_mode(fixture->path, LOCK_NAME, 0444);
	assert_int_equal(open_as(fixture->path, STORE_CAPTURE), STORE_OK);
	snprintf(said, sizeof said, "%s had mode 0755 and has 0700 now",
	    fixture->path);
	holds(&logged, said);
	holds(&logged, "/spool.db had mode 0755 and has 0600 now");
	holds(&logged, "/lock had mode 0444 and has 0600 now");
	assert_int_equal(mode_of(fixture->path, "."), 0700);
	assert_int_equal(mode_of(fixture->path, DB_NAME), 0600);
	assert_int_equal(mode_of(fixture->path, LOCK_NAME), 0600);
	assert_int_equal(open_as(fixture->path, STORE_RELAY), STORE_OK);
	assert_string_equal(buf_text(&logged), "");
}

static void
a_shared_spool_stays_shared(void **state)
{
	struct fixture *fixture = *state;

	set_mode(fixture->path, ".", 02775);
	set_mode(fixture->path, DB_NAME, 0664);
	assert_int_equal(open_as(fixture->path, STORE_RELAY), STORE_OK);
	assert_int_equal(mode_of(fixture->path, "."), 02770);
	assert_int_equal(mode_of(fixture->path, DB_NAME), 0660);
}

static void
a_reader_repairs_nothing_and_says_what_to_type(void **state)
{
	struct fixture *fixture = *state;
	char command[NAME_BYTES];

	set_mode(fixture->path, ".", 0755);
	snprintf(command, sizeof command, "chmod 0700 %s", fixture->path);
	assert_int_equal(open_as(fixture->path, STORE_READ), STORE_REFUSED);
	holds(&why, command);
	assert_int_equal(mode_of(fixture->path, "."), 0755);
}

static void
a_folder_that_is_no_spool_keeps_its_mode(void **state)
{
	struct fixture *fixture = *state;
	char *path = fixture_join(fixture->folder, "pages");

	assert_int_equal(mkdir(path, 0700), 0);
	set_mode(path, ".", 0755);
	assert_int_equal(open_as(path, STORE_CAPTURE), STORE_MISSING);
	assert_int_equal(mode_of(path, "."), 0755);
	free(path);
}

static void
a_folder_of_another_user_is_named_with_its_owner(void **state)
{
	struct fixture *fixture = *state;
	char command[NAME_BYTES];
	uid_t uid = 0;
	const char *name = somebody_else(&uid);

	give_to(fixture->path, ".", uid);
	assert_int_equal(open_as(fixture->path, STORE_CAPTURE), STORE_REFUSED);
	holds(&why, fixture->path);
	holds(&why, name);
	snprintf(command, sizeof command, "chown root %s", fixture->path);
	holds(&why, command);
	give_to(fixture->path, ".", 0);
}

static void
a_file_of_another_user_is_named_with_its_owner(void **state)
{
	static const char *const files[] = {
	    DB_NAME, WAL_NAME, SHM_NAME, LOCK_NAME};
	struct fixture *fixture = *state;
	uid_t uid = 0;
	const char *name = somebody_else(&uid);
	size_t i;

	for (i = 0; i < sizeof files / sizeof *files; i++) {
		give_to(fixture->path, files[i], uid);
		assert_int_equal(
		    open_as(fixture->path, STORE_CAPTURE), STORE_REFUSED);
		holds(&why, files[i]);
		holds(&why, name);
		holds(&why, "chown root ");
		give_to(fixture->path, files[i], 0);
	}
	assert_int_equal(open_as(fixture->path, STORE_CAPTURE), STORE_OK);
}

static void
in_a_shared_spool_the_group_is_let_in_by_the_mode(void **state)
{
	struct fixture *fixture = *state;
	uid_t uid = 0;

	somebody_else(&uid);
	set_mode(fixture->path, ".", 02770);
	give_to(fixture->path, WAL_NAME, uid);
	assert_int_equal(open_as(fixture->path, STORE_CAPTURE), STORE_REFUSED);
	holds(&why, "chmod 0660 ");
	set_mode(fixture->path, WAL_NAME, 0660);
	assert_int_equal(open_as(fixture->path, STORE_CAPTURE), STORE_OK);
}

static int
set_up(void **state)
{
	(void)state;
	buf_init(&why, 4096);
	buf_init(&logged, 4096);
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_free(&why);
	buf_free(&logged);
	return 0;
}

int
main(void)
{
#define TEST(name_)                                                            \
	cmocka_unit_test_setup_teardown(name_, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(an_owner_closes_its_spool_to_others),
	    TEST(a_shared_spool_stays_shared),
	    TEST(a_reader_repairs_nothing_and_says_what_to_type),
	    TEST(a_folder_that_is_no_spool_keeps_its_mode),
	    TEST(a_folder_of_another_user_is_named_with_its_owner),
	    TEST(a_file_of_another_user_is_named_with_its_owner),
	    TEST(in_a_shared_spool_the_group_is_let_in_by_the_mode),
	};

	return cmocka_run_group_tests_name("access", tests, set_up, tear_down);
}
