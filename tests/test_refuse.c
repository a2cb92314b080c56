/*
 * Refused bodies: how many are kept, what of them, and by which connection.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
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
	const struct clock fake = {
	    real->wall_ms, read_fake_mono_ms, real->boot_ms};
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

/* The number that the next descriptor gets. */
static rlim_t
next_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY);

	assert_true(fd >= 0);
	close(fd);
	return (rlim_t)fd;
}

static void
a_lack_of_descriptors_costs_a_refusal_and_does_not_break_the_spool(void **state)
{
	struct fixture *fixture = *state;
	struct refusal refusal = a_refusal("x");
	struct rlimit real, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &real), 0);
	none = real;
	none.rlim_cur = next_descriptor();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	store_refuse(fixture->store, &refusal);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &real), 0);
	assert_false(store_is_broken(fixture->store));
	store_refuse(fixture->store, &refusal);
	assert_int_equal(count_refusals(fixture), 1);
}

static void
refusals_alone_do_not_make_the_log_grow(void **state)
{
	const struct clock *real = clock_source;
	const struct clock fake = {
	    real->wall_ms, read_fake_mono_ms, real->boot_ms};
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

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_newest_hundred_refusals_are_kept_at_ten_a_second),
	    TEST(ten_refusals_a_second_are_kept_for_all_processes_together),
	    TEST(refusals_are_kept_though_the_clock_was_set_back),
	    TEST(refusals_are_written_by_a_connection_that_syncs_a_new_log),
	    TEST(
		a_lack_of_descriptors_costs_a_refusal_and_does_not_break_the_spool),
	    TEST(refusals_alone_do_not_make_the_log_grow),
	    TEST(a_refused_body_is_cut),
	    TEST(a_refusal_waits_for_nobody_and_breaks_nothing),
	};

	return cmocka_run_group_tests_name("refuse", tests, NULL, NULL);
}
