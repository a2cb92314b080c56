/*
 * Making and opening the spool: what is accepted, what is refused and left
 * alone, and how the log of the database stays small.
 */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_fixture.h"
#include "spool/folder.h"
#include "spool/store_internal.h"

static void
what_was_captured_is_there_with_equal_bytes_after_reopening(void **state)
{
	struct fixture *fixture = *state;
	char *body;

	assert_int_equal(fixture_store(fixture->store, "{\"a\": 1}"), 1);
	assert_int_equal(fixture_store(fixture->store, ""), 2);
	store_close(fixture->store);
	fixture->store = fixture_open(fixture->path, STORE_CAPTURE);
	assert_int_equal(fixture_store(fixture->store, "three"), 3);
	body = fixture_query_text(
	    fixture->path, "SELECT body FROM event WHERE seq = 1");
	assert_string_equal(body, "{\"a\": 1}");
	free(body);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT count(*) FROM event WHERE state = 'new' "
			     "AND typeof(body) = 'blob'"),
	    3);
}

static void
every_connection_syncs_each_commit_and_makes_no_checkpoint_of_its_own(
    void **state)
{
	static const enum store_access accesses[] = {
	    STORE_CAPTURE, STORE_RELAY, STORE_READ};
	struct fixture *fixture = *state;
	size_t i;

	for (i = 0; i < sizeof accesses / sizeof *accesses; i++) {
		struct store *store = fixture_open(fixture->path, accesses[i]);
		int64_t value = -1;
		int flag = 0;

		sql_read_int64(store, "PRAGMA synchronous", &value);
		assert_int_equal(value, 2);
		sql_read_int64(store, "PRAGMA wal_autocheckpoint", &value);
		assert_int_equal(value, 0);
		sql_read_int64(store, "PRAGMA mmap_size", &value);
		assert_int_equal(value, 0);
		sqlite3_db_config(
		    store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &flag);
		assert_true(flag);
		sqlite3_db_config(
		    store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, -1, &flag);
		assert_false(flag);
		store_close(store);
	}
}

static void
a_reader_cannot_write(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture_open(fixture->path, STORE_READ);

	assert_int_not_equal(sql_exec(store, "DELETE FROM progress"), STORE_OK);
	store_close(store);
}

/* Opening must give `status` and a reason with `part` in it. */
static void
expect_refused(const char *path, enum store_access access,
    enum store_status status, const char *part)
{
	struct store_options options = {.path = path, .access = access};
	struct store *store = NULL;
	struct buf why;

	buf_init(&why, 1000);
	assert_int_equal(store_open(&options, &store, &why), status);
	assert_null(store);
	if (strstr(buf_text(&why), part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, buf_text(&why));
	if (strstr(buf_text(&why), path) == NULL)
		fail_msg("the path is not in: %s", buf_text(&why));
	buf_free(&why);
}

static void
a_missing_or_empty_folder_is_said_and_nothing_is_made_in_it(void **state)
{
	struct fixture *fixture = *state;
	char *empty = fixture_join(fixture->folder, "empty");

	expect_refused(empty, STORE_RELAY, STORE_MISSING, "hookspool init");
	assert_int_equal(mkdir(empty, 0700), 0);
	expect_refused(empty, STORE_CAPTURE, STORE_MISSING, "mount");
	expect_refused(empty, STORE_READ, STORE_MISSING, "hookspool init");
	assert_int_equal(rmdir(empty), 0);
	free(empty);
}

static void
network_file_systems_are_refused_by_type(void **state)
{
	(void)state;
	assert_string_equal(folder_refused_type(0x6969), "NFS");
	assert_non_null(folder_refused_type(0xff534d42));
	assert_non_null(folder_refused_type(0x01021997));
	assert_non_null(folder_refused_type(0x65735546));
	assert_null(folder_refused_type(0xef53));     /* ext4 */
	assert_null(folder_refused_type(0x58465342)); /* xfs */
	assert_null(folder_refused_type(0x01021994)); /* tmpfs */
	assert_null(folder_refused_type(0x794c7630)); /* overlayfs */
}

/* Runs SQL on the closed spool, as an administrator could. */
static void
alter(struct fixture *fixture, const char *sql)
{
	char *name = fixture_join(fixture->path, DB_NAME);
	sqlite3 *db = NULL;

	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(name);
}

static void
a_later_schema_is_never_touched(void **state)
{
	struct fixture *fixture = *state;

	alter(fixture, "PRAGMA user_version = 99");
	expect_refused(fixture->path, STORE_RELAY, STORE_TOO_NEW, "later");
	expect_refused(fixture->path, STORE_CAPTURE, STORE_TOO_NEW, "later");
	expect_refused(fixture->path, STORE_READ, STORE_TOO_NEW, "later");
	assert_int_equal(
	    fixture_query(fixture->path, "PRAGMA user_version"), 99);
}

static void
an_endpoint_one_version_behind_still_captures(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;

	assert_int_equal(
	    schema_judge(store, STORE_CAPTURE, SCHEMA_VERSION), STORE_OK);
	assert_int_equal(
	    schema_judge(store, STORE_CAPTURE, SCHEMA_VERSION - 1), STORE_OK);
	assert_int_equal(schema_judge(store, STORE_CAPTURE, SCHEMA_VERSION - 2),
	    STORE_TOO_OLD);
	assert_int_equal(schema_judge(store, STORE_RELAY, SCHEMA_VERSION - 1),
	    STORE_TOO_OLD);
	assert_int_equal(
	    schema_judge(store, STORE_READ, SCHEMA_VERSION - 1), STORE_TOO_OLD);
}

static void
a_migration_makes_each_step_once(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	int version = 0;

	assert_int_equal(
	    sql_exec(store, "DROP VIEW event; DROP VIEW delivery;"
			    "DROP VIEW attempt;"
			    "DROP TABLE events; DROP TABLE progress;"
			    "DROP TABLE destinations; DROP TABLE deliveries;"
			    "DROP TABLE settled; DROP TABLE attempts;"
			    "DROP TABLE refusals; PRAGMA user_version = 0"),
	    STORE_OK);
	assert_int_equal(schema_read_version(store, &version), STORE_REFUSED);
	assert_int_equal(schema_migrate(store, 0), STORE_OK);
	assert_int_equal(schema_read_version(store, &version), STORE_OK);
	assert_int_equal(version, SCHEMA_VERSION);
	assert_int_equal(fixture_store(store, "x"), 1);
	/* One that finds it done meanwhile does it no second time. */
	assert_int_equal(schema_migrate(store, 0), STORE_OK);
	assert_int_equal(fixture_store(store, "y"), 2);
}

static void
what_is_no_spool_is_refused(void **state)
{
	struct fixture *fixture = *state;

	alter(fixture, "PRAGMA application_id = 7");
	expect_refused(
	    fixture->path, STORE_RELAY, STORE_REFUSED, "not a spool");
}

static void
a_file_that_is_no_database_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char *name = fixture_join(fixture->path, DB_NAME);
	FILE *file;
	int i;

	store_close(fixture->store);
	fixture->store = NULL;
	file = fopen(name, "w");
	for (i = 0; i < 1000; i++)
		fputs("no database ", file);
	fclose(file);
	expect_refused(
	    fixture->path, STORE_CAPTURE, STORE_REFUSED, "not a spool");
	assert_int_equal(unlink(name), 0);
	assert_int_equal(mkdir(name, 0700), 0);
	expect_refused(
	    fixture->path, STORE_CAPTURE, STORE_REFUSED, "plain file");
	free(name);
}

static void
a_copy_put_back_in_place_is_opened(void **state)
{
	struct fixture *fixture = *state;

	fixture_store(fixture->store, "x");
	alter(fixture, "PRAGMA journal_mode = DELETE");
	fixture->store = fixture_open(fixture->path, STORE_CAPTURE);
	assert_int_equal(fixture_store(fixture->store, "y"), 2);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
	    1);
}

static enum store_status
create(const char *path, bool is_shared)
{
	enum store_status status;
	struct buf why;

	buf_init(&why, 1000);
	status = store_create(path, (uid_t)-1, (gid_t)-1, is_shared, &why);
	assert_int_equal(status == STORE_OK, why.len == 0);
	buf_free(&why);
	return status;
}

static mode_t
mode_of(const char *path, const char *name)
{
	char *joined = fixture_join(path, name);
	struct stat found;

	if (stat(joined, &found) != 0)
		fail_msg("%s is missing", joined);
	free(joined);
	return found.st_mode & 07777;
}

static void
a_shared_spool_is_open_to_its_group_whatever_the_umask(void **state)
{
	static const char *const names[] = {
	    DB_NAME, WAL_NAME, SHM_NAME, LOCK_NAME, RELAY_LOCK_NAME};
	struct fixture *fixture = *state;
	char *path = fixture_join(fixture->folder, "shared");
	mode_t old = umask(0077);
	struct store *store;
	size_t i;

	assert_int_equal(create(path, true), STORE_OK);
	store = fixture_open(path, STORE_CAPTURE);
	fixture_store(store, "x");
	umask(old);
	assert_int_equal(mode_of(path, "."), 02770);
	for (i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(mode_of(path, names[i]), 0660);
	store_close(store);
	free(path);
}

static void
a_spool_is_closed_to_all_but_its_owner_whatever_the_umask(void **state)
{
	static const char *const names[] = {
	    DB_NAME, WAL_NAME, SHM_NAME, LOCK_NAME, RELAY_LOCK_NAME};
	struct fixture *fixture = *state;
	char *path = fixture_join(fixture->folder, "own");
	mode_t old = umask(0);
	struct store *store;
	size_t i;

	assert_int_equal(create(path, false), STORE_OK);
	store = fixture_open(path, STORE_CAPTURE);
	fixture_store(store, "x");
	umask(old);
	assert_int_equal(mode_of(path, "."), 0700);
	for (i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(mode_of(path, names[i]), 0600);
	store_close(store);
	free(path);
}

static void
making_a_spool_again_keeps_what_is_there_and_makes_what_is_missing(void **state)
{
	struct fixture *fixture = *state;
	char *lock = fixture_join(fixture->path, LOCK_NAME);

	fixture_store(fixture->store, "x");
	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(unlink(lock), 0);
	expect_refused(
	    fixture->path, STORE_CAPTURE, STORE_MISSING, "hookspool init");
	assert_int_equal(create(fixture->path, false), STORE_OK);
	fixture->store = fixture_open(fixture->path, STORE_CAPTURE);
	assert_int_equal(fixture_store(fixture->store, "y"), 2);
	free(lock);
}

static void
an_interrupted_init_is_taken_up_again(void **state)
{
	struct fixture *fixture = *state;
	char *path = fixture_join(fixture->folder, "half");
	char *name = fixture_join(path, "spool.db.new");

	assert_int_equal(mkdir(path, 0755), 0);
	fclose(fopen(name, "w"));
	expect_refused(path, STORE_CAPTURE, STORE_MISSING, "hookspool init");
	assert_int_equal(create(path, false), STORE_OK);
	assert_int_not_equal(access(name, F_OK), 0);
	store_close(fixture_open(path, STORE_CAPTURE));
	free(name);
	free(path);
}

static void
the_log_of_a_lost_database_is_not_given_to_a_new_one(void **state)
{
	struct fixture *fixture = *state;
	char *name = fixture_join(fixture->path, DB_NAME);

	fixture_store(fixture->store, "x");
	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(unlink(name), 0);
	assert_int_equal(create(fixture->path, false), STORE_REFUSED);
	assert_int_not_equal(access(name, F_OK), 0);
	free(name);
}

static void
a_folder_with_other_things_in_it_is_left_alone(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(chmod(fixture->folder, 0755), 0);
	assert_int_equal(create(fixture->folder, false), STORE_REFUSED);
	assert_int_equal(mode_of(fixture->folder, "."), 0755);
}

int
main(void)
{
#define TEST(name_)                                                            \
	cmocka_unit_test_setup_teardown(name_, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_was_captured_is_there_with_equal_bytes_after_reopening),
	    TEST(
		every_connection_syncs_each_commit_and_makes_no_checkpoint_of_its_own),
	    TEST(a_reader_cannot_write),
	    TEST(a_missing_or_empty_folder_is_said_and_nothing_is_made_in_it),
	    TEST(network_file_systems_are_refused_by_type),
	    TEST(a_later_schema_is_never_touched),
	    TEST(an_endpoint_one_version_behind_still_captures),
	    TEST(a_migration_makes_each_step_once),
	    TEST(what_is_no_spool_is_refused),
	    TEST(a_file_that_is_no_database_is_refused),
	    TEST(a_copy_put_back_in_place_is_opened),
	    TEST(a_shared_spool_is_open_to_its_group_whatever_the_umask),
	    TEST(a_spool_is_closed_to_all_but_its_owner_whatever_the_umask),
	    TEST(
		making_a_spool_again_keeps_what_is_there_and_makes_what_is_missing),
	    TEST(an_interrupted_init_is_taken_up_again),
	    TEST(the_log_of_a_lost_database_is_not_given_to_a_new_one),
	    TEST(a_folder_with_other_things_in_it_is_left_alone),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
