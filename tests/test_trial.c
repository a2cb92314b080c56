/*
 * Trying whether the spool takes a capture, and what is wrong with its owners
 * and modes.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_fixture.h"
#include "base/xalloc.h"

#define DAMAGED_BYTES 4096

/* Opens the spool for reading with these limits. */
static struct store *
open_with(const char *path, int64_t min_free_bytes, int64_t max_size_bytes)
{
	const struct store_options options = {.path = path,
	    .access = STORE_READ,
	    .min_free_bytes = min_free_bytes,
	    .max_size_bytes = max_size_bytes};
	struct store *store = NULL;
	struct buf why;

	buf_init(&why, 1024);
	if (store_open(&options, &store, &why) != STORE_OK)
		fail_msg("%s", buf_text(&why));
	buf_free(&why);
	return store;
}

static off_t
size_of(const char *path, const char *name)
{
	char *file = fixture_join(path, name);
	struct stat st = {0};

	stat(file, &st);
	free(file);
	return st.st_size;
}

static void
a_trial_succeeds_and_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = open_with(fixture->path, 0, 0);
	off_t wal_bytes;

	fixture_store(fixture->store, "one");
	wal_bytes = size_of(fixture->path, "spool.db-wal");
	assert_int_equal(store_try_capture(store, 1000), STORE_OK);
	assert_int_equal(store_try_sync(store), STORE_OK);
	assert_int_equal(size_of(fixture->path, "spool.db-wal"), wal_bytes);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM event"), 1);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT seq FROM sqlite_sequence WHERE name = 'events'"),
	    1);
	assert_int_equal(size_of(fixture->path, "sync-trial"), 0);
	/* Neither is the lock kept, nor may the reader write from then on. */
	assert_int_equal(fixture_store(fixture->store, "two"), 2);
	assert_int_equal(store_try_capture(store, 0), STORE_OK);
	store_close(store);
}

static void
a_trial_that_fails_says_why(void **state)
{
	struct fixture *fixture = *state;
	char *path = fixture_join(fixture->path, "lock");
	struct store *store;
	int fd;

	store = open_with(fixture->path, INT64_MAX, 0);
	assert_int_equal(store_try_capture(store, 0), STORE_FULL);
	assert_non_null(strstr(store_why(store), "min_free"));
	store_close(store);
	store = open_with(fixture->path, 0, 1);
	assert_int_equal(store_try_capture(store, 0), STORE_FULL);
	assert_non_null(strstr(store_why(store), "max_size"));
	store_close(store);
	store = open_with(fixture->path, 0, 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(store_try_capture(store, 50), STORE_BUSY);
	assert_non_null(strstr(store_why(store), "write lock"));
	close(fd);
	assert_int_equal(store_try_capture(store, 0), STORE_OK);
	unlink(path);
	assert_int_equal(store_try_capture(store, 0), STORE_REFUSED);
	assert_non_null(strstr(store_why(store), path));
	store_close(store);
	free(path);
}

/* Overwrites the page of the file on which the table or index begins. */
static void
damage(const char *path, const char *name)
{
	static const char nonsense[DAMAGED_BYTES] = "nonsense";
	char *sql = xasprintf(
	    "SELECT rootpage FROM sqlite_master WHERE name = '%s'", name);
	int64_t page = fixture_query(path, sql);
	char *file = fixture_join(path, "spool.db");
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	assert_int_equal(
	    pwrite(fd, nonsense, sizeof nonsense, (page - 1) * DAMAGED_BYTES),
	    sizeof nonsense);
	close(fd);
	free(file);
	free(sql);
}

static void
damage_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = open_with(fixture->path, 0, 0);

	assert_int_equal(store_look_for_damage(store, 10000), STORE_OK);
	store_close(store);
	store_close(fixture->store);
	fixture->store = NULL;
	damage(fixture->path, "settled_at");
	store = open_with(fixture->path, 0, 0);
	assert_int_equal(store_try_capture(store, 0), STORE_OK);
	assert_int_equal(store_look_for_damage(store, 10000), STORE_FAILED);
	assert_non_null(strstr(store_why(store), "spool.db is damaged: "));
	store_close(store);
	damage(fixture->path, "events_id");
	store = open_with(fixture->path, 0, 0);
	assert_int_equal(store_try_capture(store, 0), STORE_FAILED);
	assert_non_null(strstr(store_why(store), "malformed"));
	store_close(store);
}

/* The faults, each as `what: fix`, a line each. The caller frees it. */
static char *
faults_of(const char *path)
{
	struct store_fault *faults;
	size_t count, i;
	struct buf text;
	char *taken;

	buf_init(&text, 65536);
	store_find_faults(path, &faults, &count);
	for (i = 0; i < count; i++)
		buf_add_format(
		    &text, "%s: %s\n", faults[i].what, faults[i].fix);
	store_free_faults(faults, count);
	taken = buf_take(&text);
	buf_free(&text);
	return taken;
}

static void
expect_faults(const char *path, const char *expected)
{
	char *found = faults_of(path);

	assert_string_equal(found, expected);
	free(found);
}

static void
a_wrong_mode_is_found_with_the_command_that_ends_it(void **state)
{
	struct fixture *fixture = *state;
	const char *path = fixture->path;
	char *wal = fixture_join(path, "spool.db-wal");
	char *expected;

	expect_faults(path, "");
	expect_faults("/nonexistent", "");
	chmod(path, 0755);
	expected =
	    xasprintf("%s is open to every user (mode 0755): chmod 0700 %s\n",
		path, path);
	expect_faults(path, expected);
	free(expected);
	chmod(path, 0700);
	chmod(wal, 0400);
	expected = xasprintf("%s cannot be read and written by its owner (mode "
			     "0400): chmod 0600 %s\n",
	    wal, wal);
	expect_faults(path, expected);
	free(expected);
	free(wal);
}

static void
a_wrong_owner_is_found_with_the_command_that_ends_it(void **state)
{
	struct fixture *fixture = *state;
	const char *path = fixture->path;
	char *wal = fixture_join(path, "spool.db-wal");
	char *expected;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(wal, 65534, (gid_t)-1), 0);
	expected = xasprintf("%s belongs to the user nobody, and should belong "
			     "to root: chown root %s\n",
	    wal, wal);
	expect_faults(path, expected);
	free(expected);
	assert_int_equal(chown(wal, 0, (gid_t)-1), 0);
	assert_int_equal(chown(path, 65534, (gid_t)-1), 0);
	expected = xasprintf("%s belongs to the user nobody, and should belong "
			     "to root: chown root %s\n",
	    path, path);
	expect_faults(path, expected);
	free(expected);
	free(wal);
}

static void
files_of_a_shared_folder_belong_to_whom_they_will_if_the_group_has_them(
    void **state)
{
	struct fixture *fixture = *state;
	static const char *const names[] = {
	    "spool.db", "spool.db-wal", "spool.db-shm", "lock", "relay.lock"};
	char *found, *file;
	size_t i;

	chmod(fixture->path, 02770);
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		file = fixture_join(fixture->path, names[i]);
		chmod(file, 0660);
		if (geteuid() == 0 && i % 2 == 1)
			assert_int_equal(chown(file, 65534, (gid_t)-1), 0);
		free(file);
	}
	expect_faults(fixture->path, "");
	file = fixture_join(fixture->path, "lock");
	chmod(file, 0600);
	found = faults_of(fixture->path);
	assert_non_null(strstr(found, "/lock is not shared with the group "));
	assert_non_null(strstr(found, "&& chmod 0660 "));
	free(found);
	free(file);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_trial_succeeds_and_leaves_nothing),
	    TEST(a_trial_that_fails_says_why),
	    TEST(damage_is_found),
	    TEST(a_wrong_mode_is_found_with_the_command_that_ends_it),
	    TEST(a_wrong_owner_is_found_with_the_command_that_ends_it),
	    TEST(
		files_of_a_shared_folder_belong_to_whom_they_will_if_the_group_has_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
