/*
 * Checkpoints, the mark of a failed sync, the first opener; refusals and the
 * relay lock.
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

/* ---- refusals ---- */

static int64_t fake_mono_ms;

static int64_t
read_fake_mono_ms(void)
{
	return fake_mono_ms;
}

static struct refusal
a_refusal(const char *body)
{
	return (struct refusal){.received_at_ms = 1700000000000,
	    .status = 400,
	    .why = "not JSON",
	    .remote_addr = "192.0.2.1",
	    .body = body,
	    .body_bytes = strlen(body),
	    .sent_bytes = (int64_t)strlen(body)};
}

static void
the_newest_hundred_refusals_are_kept_at_ten_a_second(void **state)
{
	const struct clock *real = clock_source;
	const struct clock fake = {real->wall_ms, read_fake_mono_ms};
	struct fixture *fixture = *state;
	struct refusal refusal = a_refusal("{oops");
	int second, i;

	clock_source = &fake;
	for (second = 0; second < 12; second++) {
		fake_mono_ms = 1000 + second * 1000;
		refusal.received_at_ms += 1000;
		for (i = 0; i < 15; i++)
			store_refuse(fixture->store, &refusal);
	}
	clock_source = real;
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT max(seq) FROM refusals"), 120);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT count(*) FROM refusals WHERE seq > 20 AND status = "
		"400 AND content_type IS NULL AND sent_bytes = 5"),
	    100);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM refusals"), 100);
}

static int64_t
count_refusals(const struct fixture *fixture)
{
	return fixture_query(fixture->path, "SELECT count(*) FROM refusals");
}

static void
ten_refusals_a_second_are_kept_for_all_processes_together(void **state)
{
	struct fixture *fixture = *state;
	struct store *other = fixture_open(fixture->path, STORE_CAPTURE);
	struct refusal refusal = a_refusal("{oops");
	int i;

	for (i = 0; i < 7; i++)
		store_refuse(fixture->store, &refusal);
	for (i = 0; i < 7; i++)
		store_refuse(other, &refusal);
	assert_int_equal(count_refusals(fixture), 10);
	refusal.received_at_ms += 999;
	store_refuse(fixture->store, &refusal);
	assert_int_equal(count_refusals(fixture), 10);
	refusal.received_at_ms += 1;
	store_refuse(fixture->store, &refusal);
	assert_int_equal(count_refusals(fixture), 11);
	store_close(other);
}

static void
refusals_are_kept_though_the_clock_was_set_back(void **state)
{
	struct fixture *fixture = *state;
	struct store *other = fixture_open(fixture->path, STORE_CAPTURE);
	struct refusal refusal = a_refusal("{oops");
	int i;

	for (i = 0; i < 10; i++)
		store_refuse(fixture->store, &refusal);
	refusal.received_at_ms -= 3600000;
	store_refuse(other, &refusal);
	assert_int_equal(count_refusals(fixture), 11);
	store_close(other);
}

/* Unsynced, a log that begins anew would overwrite frames of events. */
static void
refusals_are_written_by_a_connection_that_syncs_a_new_log(void **state)
{
	struct fixture *fixture = *state;
	struct refusal refusal = a_refusal("x");
	sqlite3_stmt *pragma = NULL;
	sqlite3 *db;

	store_refuse(fixture->store, &refusal);
	db = fixture->store->refusing.db;
	assert_non_null(db);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "PRAGMA synchronous", -1, &pragma, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(pragma), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(pragma, 0), 1); /* NORMAL */
	sqlite3_finalize(pragma);
}

static void
refusals_alone_do_not_make_the_log_grow(void **state)
{
	const struct clock *real = clock_source;
	const struct clock fake = {real->wall_ms, read_fake_mono_ms};
	struct fixture *fixture = *state;
	char *body = xcalloc(20001, 1);
	struct refusal refusal;
	int i;

	memset(body, 'b', 20000);
	refusal = a_refusal(body);
	clock_source = &fake;
	for (i = 0; i < 100; i++) {
		fake_mono_ms = 1000 + i * 1000;
		refusal.received_at_ms += 1000;
		store_refuse(fixture->store, &refusal);
		assert_in_range(
		    size_of(fixture->path, WAL_NAME), 0, 120 * 4200);
	}
	clock_source = real;
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM refusals"), 100);
	free(body);
}

static void
a_refused_body_is_cut(void **state)
{
	struct fixture *fixture = *state;
	char *body = xcalloc(100001, 1);
	struct refusal refusal;

	memset(body, 'b', 100000);
	refusal = a_refusal(body);
	refusal.sent_bytes = -1;
	store_refuse(fixture->store, &refusal);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT length(body) FROM refusals WHERE "
			     "sent_bytes IS NULL"),
	    REFUSAL_MAX_BYTES);
	free(body);
}

static void
a_refusal_waits_for_nobody_and_breaks_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct refusal refusal = a_refusal("x");
	char *name = fixture_join(fixture->path, LOCK_NAME);
	int64_t begun = clock_mono_ms();
	int fd = open(name, O_RDWR | O_CLOEXEC);

	assert_int_equal(flock(fd, LOCK_EX), 0);
	store_refuse(fixture->store, &refusal);
	assert_in_range(clock_mono_ms() - begun, 0, 5000);
	close(fd);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM refusals"), 0);
	store_refuse(fixture->store, &refusal);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM refusals"), 1);
	assert_int_equal(fixture_store(fixture->store, "x"), 1);
	free(name);
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
	    TEST(the_newest_hundred_refusals_are_kept_at_ten_a_second),
	    TEST(ten_refusals_a_second_are_kept_for_all_processes_together),
	    TEST(refusals_are_kept_though_the_clock_was_set_back),
	    TEST(refusals_are_written_by_a_connection_that_syncs_a_new_log),
	    TEST(refusals_alone_do_not_make_the_log_grow),
	    TEST(a_refused_body_is_cut),
	    TEST(a_refusal_waits_for_nobody_and_breaks_nothing),
	    TEST(the_relay_lock_has_one_holder_and_one_who_waits),
	    TEST(the_relay_lock_says_who_holds_it_and_since_when),
	};

	return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
