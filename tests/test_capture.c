/*
 * Capture: many who wait share a commit, deadlines hold, what fails is said
 * and fails nobody else.
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

#define THREADS    32
#define PER_THREAD 200

struct job {
	struct store *store;
	int64_t deadline_ms;
	int count;
	int stored;
	bool is_in_order;
	enum capture_result last;
};

static void *
capture_many(void *arg)
{
	struct job *job = arg;
	int64_t before = 0;
	int i;

	job->is_in_order = true;
	for (i = 0; i < job->count; i++) {
		struct capture capture = fixture_capture("{\"a\": 1}");

		store_capture(job->store, &capture, 1, job->deadline_ms);
		job->last = capture.result;
		if (capture.result != CAPTURE_STORED)
			continue;
		job->stored++;
		if (capture.seq <= before)
			job->is_in_order = false;
		before = capture.seq;
	}
	return NULL;
}

/* Runs `threads` of them; job[0] has the sum. */
static void
run_jobs(struct job *jobs, int threads, struct job model)
{
	pthread_t ids[THREADS];
	int i;

	for (i = 0; i < threads; i++) {
		jobs[i] = model;
		assert_int_equal(
		    pthread_create(&ids[i], NULL, capture_many, &jobs[i]), 0);
	}
	for (i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
}

/* Holds the write lock as another process would: an open file of its own. */
static int
hold_lock(const char *path)
{
	char *name = fixture_join(path, LOCK_NAME);
	int fd = open(name, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	free(name);
	return fd;
}

static void
threads_share_commits_and_lose_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct job jobs[THREADS];
	int64_t before = fixture->store->commits;
	int i, stored = 0;

	run_jobs(jobs, THREADS,
	    (struct job){.store = fixture->store,
		.deadline_ms = clock_mono_ms() + 300000,
		.count = PER_THREAD});
	for (i = 0; i < THREADS; i++) {
		assert_true(jobs[i].is_in_order);
		stored += jobs[i].stored;
	}
	assert_int_equal(stored, THREADS * PER_THREAD);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT count(DISTINCT id) FROM event "
			     "WHERE CAST(body AS TEXT) = '{\"a\": 1}'"),
	    stored);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT max(seq) FROM event"), stored);
	assert_in_range(
	    fixture->store->commits - before, stored / 64, stored / 2);
}

static void
a_deadline_breaks_off_the_wait_for_a_lock(void **state)
{
	struct fixture *fixture = *state;
	int64_t begun = clock_mono_ms();
	struct capture capture = fixture_capture("x");
	int fd = hold_lock(fixture->path);

	store_capture(fixture->store, &capture, 1, begun + 150);
	assert_int_equal(capture.result, CAPTURE_LOCKED);
	assert_in_range(clock_mono_ms() - begun, 150, 20000);
	assert_false(store_is_broken(fixture->store));
	store_capture(fixture->store, &capture, 1, begun);
	assert_int_equal(capture.result, CAPTURE_LOCKED);
	close(fd);
	store_capture(fixture->store, &capture, 1, clock_mono_ms() + 20000);
	assert_int_equal(capture.result, CAPTURE_STORED);
	assert_int_equal(capture.seq, 1);
}

static void
all_who_wait_are_told_at_their_deadline(void **state)
{
	struct fixture *fixture = *state;
	struct job jobs[8];
	int fd = hold_lock(fixture->path);
	int i;

	run_jobs(jobs, 8,
	    (struct job){.store = fixture->store,
		.deadline_ms = clock_mono_ms() + 150,
		.count = 1});
	for (i = 0; i < 8; i++)
		assert_int_equal(jobs[i].last, CAPTURE_LOCKED);
	close(fd);
	assert_null(fixture->store->queue.first);
	assert_false(fixture->store->queue.has_leader);
	assert_int_equal(fixture_store(fixture->store, "x"), 1);
}

static void *
release_later(void *arg)
{
	usleep(100000);
	close(*(int *)arg);
	return NULL;
}

static void
those_who_wait_are_stored_once_the_lock_is_free(void **state)
{
	struct fixture *fixture = *state;
	struct job jobs[8];
	int fd = hold_lock(fixture->path);
	pthread_t thread;
	int i;

	pthread_create(&thread, NULL, release_later, &fd);
	run_jobs(jobs, 8,
	    (struct job){.store = fixture->store,
		.deadline_ms = clock_mono_ms() + 30000,
		.count = 1});
	pthread_join(thread, NULL);
	for (i = 0; i < 8; i++)
		assert_int_equal(jobs[i].last, CAPTURE_STORED);
}

/* Reads until the other end is closed; counts interruptions. */
static void *
read_quietly(void *arg)
{
	int *fds = arg;
	char byte;

	if (read(fds[0], &byte, 1) < 0 && errno == EINTR)
		fds[0] = -1;
	return NULL;
}

static void
the_timer_disturbs_no_other_thread(void **state)
{
	struct fixture *fixture = *state;
	struct capture capture = fixture_capture("x");
	int fds[2], read_end, lock;
	pthread_t thread;

	assert_int_equal(pipe(fds), 0);
	read_end = fds[0];
	pthread_create(&thread, NULL, read_quietly, fds);
	lock = hold_lock(fixture->path);
	store_capture(fixture->store, &capture, 1, clock_mono_ms() + 150);
	assert_int_equal(capture.result, CAPTURE_LOCKED);
	close(lock);
	close(fds[1]);
	pthread_join(thread, NULL);
	assert_int_equal(fds[0], read_end);
	close(read_end);
}

static void
one_bad_row_fails_alone(void **state)
{
	struct fixture *fixture = *state;
	struct capture batch[3];

	batch[0] = fixture_capture("first");
	batch[1] = batch[0];
	batch[2] = fixture_capture("third");
	store_capture(fixture->store, batch, 3, clock_mono_ms() + 20000);
	assert_int_equal(batch[0].result, CAPTURE_STORED);
	assert_int_equal(batch[1].result, CAPTURE_FAILED);
	assert_int_equal(batch[2].result, CAPTURE_STORED);
	assert_false(store_is_broken(fixture->store));
	assert_int_equal(batch[2].seq, 2);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM event"), 2);
}

static void
a_batch_of_any_size_is_stored_in_commits_of_at_most_64(void **state)
{
	enum { COUNT = 130 };
	struct fixture *fixture = *state;
	struct capture *batch = xcalloc(COUNT, sizeof *batch);
	int64_t before = fixture->store->commits;
	int i;

	for (i = 0; i < COUNT; i++)
		batch[i] = fixture_capture("x");
	store_capture(fixture->store, batch, COUNT, clock_mono_ms() + 20000);
	for (i = 0; i < COUNT; i++) {
		assert_int_equal(batch[i].result, CAPTURE_STORED);
		assert_int_equal(batch[i].seq, i + 1);
	}
	assert_int_equal(fixture->store->commits - before, 3);
	free(batch);
}

static void
a_body_larger_than_a_group_is_stored(void **state)
{
	struct fixture *fixture = *state;
	size_t len = 5 * 1024 * 1024;
	struct capture batch[2];
	char *body = xcalloc(len + 1, 1);

	memset(body, 'b', len);
	batch[0] = fixture_capture("small");
	batch[1] = fixture_capture(body);
	store_capture(fixture->store, batch, 2, clock_mono_ms() + 20000);
	assert_int_equal(batch[0].result, CAPTURE_STORED);
	assert_int_equal(batch[1].result, CAPTURE_STORED);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT body_bytes FROM event WHERE seq = 2"),
	    len);
	free(body);
}

static void
a_full_database_is_said_and_passes(void **state)
{
	struct fixture *fixture = *state;
	char *body = xcalloc(100001, 1);
	struct capture capture;
	int64_t pages;

	memset(body, 'b', 100000);
	fixture_store(fixture->store, "before");
	pages = fixture_query(fixture->path, "PRAGMA page_count");
	sqlite3_limit(fixture->store->db, SQLITE_LIMIT_LENGTH, 1000000);
	sqlite3_exec(fixture->store->db, "PRAGMA max_page_count = 1", NULL,
	    NULL, NULL); /* the least there can be: as it is now */
	capture = fixture_capture(body);
	store_capture(fixture->store, &capture, 1, clock_mono_ms() + 20000);
	assert_int_equal(capture.result, CAPTURE_FULL);
	assert_non_null(strstr(store_why(fixture->store), "full"));
	assert_false(store_is_broken(fixture->store));
	assert_int_equal(
	    fixture_query(fixture->path, "PRAGMA page_count"), pages);
	sqlite3_exec(fixture->store->db, "PRAGMA max_page_count = 1000000",
	    NULL, NULL, NULL);
	assert_int_equal(fixture_store(fixture->store, body), 2);
	free(body);
}

static void
min_free_and_max_size_refuse_events_until_there_is_room(void **state)
{
	struct fixture *fixture = *state;
	struct capture capture = fixture_capture("x");

	store_set_limits(fixture->store, INT64_MAX, 0);
	store_capture(fixture->store, &capture, 1, clock_mono_ms() + 20000);
	assert_int_equal(capture.result, CAPTURE_FULL);
	assert_non_null(strstr(store_why(fixture->store), "min_free"));
	store_set_limits(fixture->store, 0, 4096);
	store_capture(fixture->store, &capture, 1, clock_mono_ms() + 20000);
	assert_int_equal(capture.result, CAPTURE_FULL);
	assert_non_null(strstr(store_why(fixture->store), "max_size"));
	assert_false(store_is_broken(fixture->store));
	store_set_limits(fixture->store, 0, 10000000);
	assert_int_equal(fixture_store(fixture->store, "x"), 1);
}

static void
expect_broken(struct store *store)
{
	struct capture capture = fixture_capture("x");

	store_capture(store, &capture, 1, clock_mono_ms() + 20000);
	assert_int_equal(capture.result, CAPTURE_FAILED);
	assert_true(store_is_broken(store));
	assert_non_null(strstr(store_why(store), "removed or replaced"));
	store_capture(store, &capture, 1, clock_mono_ms() + 20000);
	assert_int_equal(capture.result, CAPTURE_FAILED);
}

static void
a_removed_file_is_noticed_before_anything_is_called_stored(void **state)
{
	static const char *const names[] = {
	    SHM_NAME, WAL_NAME, LOCK_NAME, DB_NAME};
	struct fixture *fixture = *state;
	size_t i;

	store_close(fixture->store);
	fixture->store = NULL;
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		char *name = fixture_join(fixture->path, names[i]);
		struct store *store =
		    fixture_open(fixture->path, STORE_CAPTURE);

		fixture_store(store, "x");
		if (unlink(name) != 0)
			fail_msg("%s is not there", name);
		expect_broken(store);
		if (strcmp(names[i], LOCK_NAME) == 0)
			close(open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		store_close(store);
		free(name);
	}
}

static void
a_replaced_lock_is_noticed_before_anything_is_called_stored(void **state)
{
	struct fixture *fixture = *state;
	char *name = fixture_join(fixture->path, LOCK_NAME);
	char *other = fixture_join(fixture->path, "other");

	fixture_store(fixture->store, "x");
	close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(rename(other, name), 0);
	free(other);
	free(name);
	expect_broken(fixture->store);
}

int
main(void)
{
#define TEST(name_)                                                            \
	cmocka_unit_test_setup_teardown(name_, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(threads_share_commits_and_lose_nothing),
	    TEST(a_deadline_breaks_off_the_wait_for_a_lock),
	    TEST(all_who_wait_are_told_at_their_deadline),
	    TEST(those_who_wait_are_stored_once_the_lock_is_free),
	    TEST(the_timer_disturbs_no_other_thread),
	    TEST(one_bad_row_fails_alone),
	    TEST(a_batch_of_any_size_is_stored_in_commits_of_at_most_64),
	    TEST(a_body_larger_than_a_group_is_stored),
	    TEST(a_full_database_is_said_and_passes),
	    TEST(min_free_and_max_size_refuse_events_until_there_is_room),
	    TEST(a_removed_file_is_noticed_before_anything_is_called_stored),
	    TEST(a_replaced_lock_is_noticed_before_anything_is_called_stored),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
