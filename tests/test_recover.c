/*
 * Checkpoints, the mark of a failed sync, the first opener; the relay lock.
 */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "spool_fixture.h"
#include "spool/store_internal.h"

/* Of a file in the spool; -1: it is not there. */
static int64_t
size_of(const char *path, const char *name)
{
	char *joined = fixture_join(path, name);
	struct stat found;
	int64_t size = stat(joined, &found) == 0 ? found.st_size : -1;

	free(joined);
	return size;
}

/* A read transaction, as a long report would hold it open. */
static sqlite3 *
begin_reading(const char *path)
{
	char *name = fixture_join(path, DB_NAME);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM events",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	free(name);
	return db;
}

static void
put_mark(const char *path)
{
	char *name = fixture_join(path, MARK_NAME);

	fclose(fopen(name, "w"));
	free(name);
}

static void
the_log_stays_small_while_events_are_captured(void **state)
{
	struct fixture *fixture = *state;
	int i;

	for (i = 0; i < 300; i++) {
		fixture_store(fixture->store, "x");
		assert_in_range(
		    size_of(fixture->path, WAL_NAME), 0, 110 * 4200);
	}
}

static void
a_reader_makes_the_log_grow_and_stops_nobody(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *reader;
	int i;

	fixture_store(fixture->store, "x");
	reader = begin_reading(fixture->path);
	for (i = 0; i < 300; i++)
		fixture_store(fixture->store, "x");
	assert_true(size_of(fixture->path, WAL_NAME) > 300 * 4096);
	assert_int_equal(
	    store_checkpoint(fixture->store, clock_mono_ms() + 50), STORE_BUSY);
	sqlite3_close(reader);
	assert_int_equal(
	    store_checkpoint(fixture->store, clock_mono_ms() + 20000),
	    STORE_OK);
	assert_int_equal(size_of(fixture->path, WAL_NAME), 0);
	for (i = 0; i < 150; i++)
		fixture_store(fixture->store, "x");
	assert_in_range(size_of(fixture->path, WAL_NAME), 0, 110 * 4200);
}

static void
the_first_opener_empties_the_log_and_later_ones_leave_it(void **state)
{
	struct fixture *fixture = *state;
	struct store *other;
	int64_t size;

	fixture_store(fixture->store, "x");
	size = size_of(fixture->path, WAL_NAME);
	assert_true(size > 0);
	other = fixture_open(fixture->path, STORE_CAPTURE);
	assert_int_equal(size_of(fixture->path, WAL_NAME), size);
	store_close(fixture->store);
	fixture->store = fixture_open(fixture->path, STORE_CAPTURE);
	assert_int_equal(size_of(fixture->path, WAL_NAME), size);
	store_close(fixture->store);
	store_close(other);
	assert_int_equal(size_of(fixture->path, WAL_NAME), size);
	fixture->store = fixture_open(fixture->path, STORE_READ);
	assert_int_equal(size_of(fixture->path, WAL_NAME), size);
	other = fixture_open(fixture->path, STORE_CAPTURE);
	assert_int_equal(size_of(fixture->path, WAL_NAME), 0);
	store_close(other);
}

static void
the_first_opener_goes_on_though_a_reader_is_in_the_way(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *reader;

	fixture_store(fixture->store, "x");
	store_close(fixture->store);
	reader = begin_reading(fixture->path);
	fixture->store = fixture_open(fixture->path, STORE_CAPTURE);
	assert_int_equal(fixture_store(fixture->store, "y"), 2);
	sqlite3_close(reader);
}

static void
nobody_commits_while_the_mark_is_there_before_the_log_is_emptied(void **state)
{
	struct fixture *fixture = *state;
	struct capture capture = fixture_capture("y");
	int64_t frame_bytes = 32 + 3 * (4096 + 24);
	sqlite3 *reader;

	fixture_store(fixture->store, "x");
	reader = begin_reading(fixture->path);
	put_mark(fixture->path);
	store_capture(fixture->store, &capture, 1, clock_mono_ms() + 100);
	assert_int_equal(capture.result, CAPTURE_LOCKED);
	assert_int_equal(size_of(fixture->path, MARK_NAME), 0);
	assert_false(store_is_broken(fixture->store));
	sqlite3_close(reader);
	store_capture(fixture->store, &capture, 1, clock_mono_ms() + 20000);
	assert_int_equal(capture.result, CAPTURE_STORED);
	assert_int_equal(size_of(fixture->path, MARK_NAME), -1);
	/* Only the new commit is in it. */
	assert_in_range(size_of(fixture->path, WAL_NAME), 1, frame_bytes);
}

static void
a_later_opener_makes_checkpoints_like_the_first(void **state)
{
	struct fixture *fixture = *state;
	struct store *other = fixture_open(fixture->path, STORE_CAPTURE);
	int i;

	fixture_store(other, "x");
	assert_true(size_of(fixture->path, WAL_NAME) > 0);
	for (i = 0; i < 200; i++)
		fixture_store(other, "x");
	assert_in_range(size_of(fixture->path, WAL_NAME), 0, 110 * 4200);
	store_close(other);
}

static void
the_mark_is_mended_at_open(void **state)
{
	struct fixture *fixture = *state;
	struct store *other;

	fixture_store(fixture->store, "x");
	put_mark(fixture->path);
	other = fixture_open(fixture->path, STORE_RELAY);
	assert_int_equal(size_of(fixture->path, MARK_NAME), -1);
	assert_int_equal(size_of(fixture->path, WAL_NAME), 0);
	store_close(other);
}

/* Writes zeros over the pages of the database from `offset` on, as a device
 * that lost them would show them: by another program, since closing the file
 * would drop SQLite's locks in this process. */
static void
lose_pages(const char *path, int64_t offset, int64_t end)
{
	char *command = xasprintf("dd if=/dev/zero of='%s/" DB_NAME "' "
				  "conv=notrunc bs=4096 seek=%d count=%d "
				  "2>/dev/null",
	    path, (int)(offset / 4096), (int)((end - offset) / 4096));

	assert_int_equal(system(command), 0);
	free(command);
}

static void
mending_writes_again_what_an_unfinished_checkpoint_wrote(void **state)
{
	struct fixture *fixture = *state;
	char *body = xcalloc(20001, 1), *found;
	int64_t before, after;
	sqlite3 *reader;

	memset(body, 'b', 20000);
	assert_int_equal(
	    store_checkpoint(fixture->store, clock_mono_ms() + 20000),
	    STORE_OK);
	before = size_of(fixture->path, DB_NAME);
	fixture_store(fixture->store, body);
	reader = begin_reading(fixture->path);
	fixture_store(fixture->store, "later");
	assert_int_equal(
	    store_checkpoint(fixture->store, clock_mono_ms()), STORE_BUSY);
	after = size_of(fixture->path, DB_NAME);
	assert_true(after > before); /* it came half way */
	lose_pages(fixture->path, before, after);
	put_mark(fixture->path);
	sqlite3_close(reader);
	fixture_store(fixture->store, "last");
	found = fixture_query_text(
	    fixture->path, "SELECT body FROM event WHERE seq = 1");
	assert_string_equal(found, body);
	free(found);
	found = fixture_query_text(fixture->path, "PRAGMA integrity_check");
	assert_string_equal(found, "ok");
	free(found);
	free(body);
}

/* ---- the relay lock ---- */

struct relay_waiter {
	const char *path;
	int fd;
};

static void *
wait_for_relay_lock(void *arg)
{
	struct relay_waiter *waiter = arg;

	do {
		waiter->fd = store_lock_relay(waiter->path, 60000, "test");
	} while (waiter->fd < 0 && errno == EALREADY);
	return NULL;
}

static void
the_relay_lock_has_one_holder_and_one_who_waits(void **state)
{
	struct fixture *fixture = *state;
	struct relay_waiter waiter = {fixture->path, -1};
	int holder = store_lock_relay(fixture->path, 0, "test");
	struct relay_holder relay;
	pthread_t thread;

	assert_true(holder >= 0);
	assert_true(store_read_relay(fixture->path, &relay));
	assert_int_equal(store_lock_relay(fixture->path, 0, "test"), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(store_lock_relay(fixture->path, 50, "test"), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	pthread_create(&thread, NULL, wait_for_relay_lock, &waiter);
	while (store_lock_relay(fixture->path, 10, "test") == -1 &&
	       errno != EALREADY)
		assert_int_equal(errno, EWOULDBLOCK);
	close(holder);
	pthread_join(thread, NULL);
	assert_true(waiter.fd >= 0);
	assert_true(store_read_relay(fixture->path, &relay));
	close(waiter.fd);
	assert_false(store_read_relay(fixture->path, &relay));
	assert_int_equal(store_lock_relay(fixture->folder, 0, "test"), -1);
	assert_int_equal(errno, ENOENT);
}

static void
the_relay_lock_says_who_holds_it_and_since_when(void **state)
{
	struct fixture *fixture = *state;
	struct relay_holder relay;
	int64_t before_ms = clock_wall_ms();
	char *path = xasprintf("%s/relay.lock", fixture->path);
	int fd = store_lock_relay(fixture->path, 0, "a-longer-word-of-a-role");

	close(fd);
	fd = store_lock_relay(fixture->path, 0, "test");
	assert_true(store_read_relay(fixture->path, &relay));
	assert_int_equal(relay.pid, getpid());
	assert_in_range(relay.started_at_ms, before_ms, clock_wall_ms());
	assert_string_equal(relay.version, PACKAGE_VERSION);
	assert_string_equal(relay.role, "test");
	/* As an older version leaves it. */
	assert_int_equal(truncate(path, 0), 0);
	assert_true(store_read_relay(fixture->path, &relay));
	assert_int_equal(relay.pid, 0);
	assert_string_equal(relay.role, "");
	close(fd);
	/* What stands there when nobody holds it is nobody's. */
	assert_false(store_read_relay(fixture->path, &relay));
	assert_int_equal(relay.pid, 0);
	free(path);
}

int
main(void)
{
#define TEST(name_)                                                            \
	cmocka_unit_test_setup_teardown(name_, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_log_stays_small_while_events_are_captured),
	    TEST(a_reader_makes_the_log_grow_and_stops_nobody),
	    TEST(the_first_opener_empties_the_log_and_later_ones_leave_it),
	    TEST(the_first_opener_goes_on_though_a_reader_is_in_the_way),
	    TEST(
		nobody_commits_while_the_mark_is_there_before_the_log_is_emptied),
	    TEST(a_later_opener_makes_checkpoints_like_the_first),
	    TEST(the_mark_is_mended_at_open),
	    TEST(mending_writes_again_what_an_unfinished_checkpoint_wrote),
	    TEST(the_relay_lock_has_one_holder_and_one_who_waits),
	    TEST(the_relay_lock_says_who_holds_it_and_since_when),
	};

	return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
