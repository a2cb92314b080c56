/*
 * Putting a copy in the place of the spool.
 */
#include "config.h"

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "delivery_fixture.h"
#include "spool/store_internal.h"

/* A copy of the spool as it is now; the caller frees its path. */
static char *
make_copy(struct fixture *fixture)
{
	char *copy = fixture_join(fixture->folder, "copy.db");

	if (store_backup(fixture->store, copy, NULL, NULL) != STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	return copy;
}

/* The same, with this schema version written into it. */
static char *
make_copy_of_version(struct fixture *fixture, int version)
{
	int64_t ours = fixture_query(fixture->path, "PRAGMA user_version");
	char *copy;
	char *sql = xasprintf("PRAGMA user_version = %d", version);

	delivery_exec(fixture, sql);
	free(sql);
	copy = make_copy(fixture);
	sql = xasprintf("PRAGMA user_version = %d", (int)ours);
	delivery_exec(fixture, sql);
	free(sql);
	return copy;
}

static void
close_spool(struct fixture *fixture)
{
	store_close(fixture->store);
	fixture->store = NULL;
}

/* Restores `copy`, with the log beside it if there is one; `why` is emptied
 * first. */
static enum store_status
try_restore(struct fixture *fixture, const char *copy,
    struct store_restore *restore, struct buf *why)
{
	char *wal = xasprintf("%s-wal", copy);
	enum store_status status;

	*restore = (struct store_restore){.path = fixture->path,
	    .from = copy,
	    .fd = open(copy, O_RDONLY),
	    .wal_fd = open(wal, O_RDONLY)};
	assert_true(restore->fd >= 0);
	status = store_restore(restore, why);
	close(restore->fd);
	if (restore->wal_fd >= 0)
		close(restore->wal_fd);
	free(wal);
	return status;
}

static void
restores(struct fixture *fixture, const char *copy, int64_t events)
{
	struct store_restore restore;
	struct buf why;

	buf_init(&why, 4096);
	if (try_restore(fixture, copy, &restore, &why) != STORE_OK)
		fail_msg("%s", buf_text(&why));
	assert_int_equal(restore.events, events);
	free(restore.kept);
	buf_free(&why);
}

/* It is not restored, `said` is in the reason, and nothing is left of it. */
static void
is_refused(struct fixture *fixture, const char *copy, enum store_status wanted,
    const char *said)
{
	char *left = fixture_join(fixture->path, "spool.db.restoring");
	struct store_restore restore;
	struct buf why;

	buf_init(&why, 4096);
	assert_int_equal(try_restore(fixture, copy, &restore, &why), wanted);
	if (strstr(buf_text(&why), said) == NULL)
		fail_msg("%s", buf_text(&why));
	assert_null(restore.kept);
	assert_int_equal(access(left, F_OK), -1);
	free(left);
	buf_free(&why);
}

static bool
is_there(struct fixture *fixture, const char *name)
{
	char *path = fixture_join(fixture->path, name);
	bool is_so = access(path, F_OK) == 0;

	free(path);
	return is_so;
}

static void
write_bytes(const char *path, off_t offset, const char *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(
	    pwrite(fd, bytes, strlen(bytes), offset), (ssize_t)strlen(bytes));
	close(fd);
}

static void
a_copy_takes_the_place_of_the_spool_and_its_log(void **state)
{
	struct fixture *fixture = *state;
	char *wal = fixture_join(fixture->path, WAL_NAME);
	char *copy;
	struct stat st;

	fixture_store(fixture->store, "in the copy");
	copy = make_copy(fixture);
	fixture_store(fixture->store, "later");
	close_spool(fixture);
	assert_int_equal(stat(wal, &st), 0);
	assert_true(st.st_size > 0); /* what would spoil the copy */
	restores(fixture, copy, 1);
	assert_false(is_there(fixture, WAL_NAME));
	assert_false(is_there(fixture, SHM_NAME));
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT body = CAST('in the copy' AS BLOB)"
			     " FROM events"),
	    1);
	fixture->store = fixture_open(fixture->path, STORE_CAPTURE);
	fixture_store(fixture->store, "new");
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM events"), 2);
	free(copy);
	free(wal);
}

static void
what_was_there_is_kept_whole_and_can_be_put_back(void **state)
{
	struct fixture *fixture = *state;
	struct store_restore restore;
	char *copy = make_copy(fixture);
	struct buf why;

	buf_init(&why, 4096);
	fixture_store(fixture->store, "in the log alone");
	close_spool(fixture);
	assert_int_equal(try_restore(fixture, copy, &restore, &why), STORE_OK);
	assert_int_equal(restore.events, 0);
	delivery_now_ms++;
	assert_non_null(restore.kept);
	assert_int_equal(
	    strncmp(restore.kept, fixture->path, strlen(fixture->path)), 0);
	restores(fixture, restore.kept, 1);
	free(restore.kept);
	buf_free(&why);
	free(copy);
}

static void
an_older_spool_is_taken_and_migrated_later(void **state)
{
	struct fixture *fixture = *state;
	char *copy = make_copy_of_version(fixture, 1);

	close_spool(fixture);
	restores(fixture, copy, 0);
	assert_int_equal(
	    fixture_query(fixture->path, "PRAGMA user_version"), 1);
	free(copy);
}

static void
a_copy_that_is_no_whole_spool_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char *copy, *path;
	int i;

	for (i = 0; i < 200; i++)
		fixture_store(fixture->store, "some body");
	copy = make_copy_of_version(fixture, 9);
	close_spool(fixture);
	is_refused(fixture, copy, STORE_TOO_NEW, "later hookspool (schema 9");

	path = fixture_join(fixture->folder, "text");
	write_bytes(path, 0,
	    "this is some text and no database, whatever one "
	    "may think of it at first sight.....................");
	is_refused(fixture, path, STORE_REFUSED, "not a complete database");
	free(path);

	path = fixture_join(fixture->folder, "empty");
	write_bytes(path, 0, "");
	is_refused(fixture, path, STORE_REFUSED, "not a spool of hookspool");
	free(path);

	write_bytes(copy, 60 + 3, "\2"); /* its version, in the header */
	write_bytes(copy, 3 * 4096, "damage damage damage damage");
	is_refused(fixture, copy, STORE_REFUSED, "is damaged");
	assert_int_equal(truncate(copy, 6 * 4096), 0);
	is_refused(fixture, copy, STORE_REFUSED, "not a complete database");
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM events"), 200);
	free(copy);

	path = fixture_join(fixture->path, DB_NAME);
	is_refused(fixture, path, STORE_REFUSED, "the spool itself");
	free(path);
}

static void
nothing_is_put_in_place_while_somebody_is_there(void **state)
{
	struct fixture *fixture = *state;
	char *copy = make_copy(fixture);
	int fd;

	is_refused(fixture, copy, STORE_BUSY, "stop the web server");
	close_spool(fixture);
	fd = store_lock_relay(fixture->path, 0, "test");
	is_refused(fixture, copy, STORE_BUSY, "a relay uses the spool (pid ");
	close(fd);
	restores(fixture, copy, 0);
	free(copy);
}

static void
owner_and_modes_are_those_of_the_spool(void **state)
{
	struct fixture *fixture = *state;
	char *db = fixture_join(fixture->path, DB_NAME);
	char *copy = make_copy(fixture);
	struct stat st;

	close_spool(fixture);
	assert_int_equal(chmod(db, 0660), 0);
	restores(fixture, copy, 0);
	assert_int_equal(stat(db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(st.st_uid, geteuid());
	/* Where there is none, as the folder is. */
	assert_int_equal(unlink(db), 0);
	restores(fixture, copy, 0);
	assert_int_equal(stat(db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	free(copy);
	free(db);
}

int
main(void)
{
#define TEST(name_)                                                            \
	cmocka_unit_test_setup_teardown(                                       \
	    name_, delivery_setup, delivery_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_copy_takes_the_place_of_the_spool_and_its_log),
	    TEST(what_was_there_is_kept_whole_and_can_be_put_back),
	    TEST(an_older_spool_is_taken_and_migrated_later),
	    TEST(a_copy_that_is_no_whole_spool_is_refused),
	    TEST(nothing_is_put_in_place_while_somebody_is_there),
	    TEST(owner_and_modes_are_those_of_the_spool),
	};

	return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
