/*
 * What is left on the disk after erasing: nothing, whatever the bodies, their
 * order, and whoever reads or writes meanwhile.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "delivery_fixture.h"
#include "spool/page.h"
#include "spool/store_internal.h"

#define RUNS_MS 4000 /* for the many runs, altogether */

static const char *const people[] = {
    "jane@example.org", "john@example.org", "judy@example.org"};

/* ---- pages ---- */

static void
put2(uint8_t *at, unsigned number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

/* A leaf of a table: two cells at the end, a free block between them. */
static void
make_leaf(uint8_t page[512])
{
	memset(page, 'x', 512);
	page[0] = 13;
	put2(page + 1, 430);
	put2(page + 3, 2);
	put2(page + 5, 400);
	page[7] = 0;
	put2(page + 8, 460);
	put2(page + 10, 400);
	put2(page + 430, 0);
	put2(page + 432, 30);
}

static void
what_belongs_to_nothing_in_a_page_is_cleared(void **state)
{
	uint8_t page[512], before[512];
	size_t i;

	(void)state;
	make_leaf(page);
	memcpy(before, page, sizeof page);
	assert_true(page_scrub(page, 512, PAGE_USED));
	for (i = 0; i < 512; i++) {
		bool is_dead = (i >= 12 && i < 400) || (i >= 434 && i < 460);

		assert_int_equal(page[i], is_dead ? 0 : before[i]);
	}
	assert_false(page_scrub(page, 512, PAGE_USED));
}

static void
a_page_that_is_not_sound_is_left_alone(void **state)
{
	static const struct {
		int at;
		unsigned number;
	} faults[] = {{3, 197}, {5, 11}, {5, 513}, {1, 399}, {1, 509},
	    {430, 430}, {430, 459}, {432, 3}, {432, 83}};
	uint8_t page[512], before[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof faults / sizeof *faults; i++) {
		make_leaf(page);
		put2(page + faults[i].at, faults[i].number);
		memcpy(before, page, sizeof page);
		assert_false(page_scrub(page, 512, PAGE_USED));
		assert_memory_equal(page, before, sizeof page);
	}
	make_leaf(page);
	page[0] = 0;
	assert_false(page_scrub(page, 512, PAGE_USED));
}

static void
free_pages_are_cleared_and_their_list_is_not(void **state)
{
	uint8_t page[512];

	(void)state;
	memset(page, 'x', sizeof page);
	assert_true(page_scrub(page, 500, PAGE_FREE));
	assert_int_equal(page[499], 0);
	assert_int_equal(page[500], 'x');
	assert_false(page_scrub(page, 500, PAGE_FREE));
	memset(page, 'x', sizeof page);
	memset(page, 0, 8);
	page[7] = 2;
	assert_true(page_scrub(page, 500, PAGE_TRUNK));
	assert_int_equal(page[15], 'x');
	assert_int_equal(page[16], 0);
	memset(page, 'x', sizeof page);
	assert_false(page_scrub(page, 500, PAGE_TRUNK));
}

/* ---- files ---- */

/* Allocates nothing: called in the child of a process that has threads, one of
 * which may have held the allocator's lock at the fork. */
static bool
is_in_file(const char *file, const char *word)
{
	int fd = open(file, O_RDONLY);
	struct stat about = {0};
	bool is_there;
	void *bytes;

	if (fd < 0 || fstat(fd, &about) != 0 || about.st_size == 0)
		return false;
	bytes =
	    mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		_exit(2);
	is_there =
	    memmem(bytes, (size_t)about.st_size, word, strlen(word)) != NULL;
	munmap(bytes, (size_t)about.st_size);
	close(fd);
	return is_there;
}

/* In another process: closing the file here would drop our locks on it. */
static bool
is_on_disk(const char *path, const char *word)
{
	char *db = fixture_join(path, DB_NAME);
	char *wal = fixture_join(path, WAL_NAME);
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		alarm(60);
		_exit(is_in_file(db, word) || is_in_file(wal, word) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	free(wal);
	free(db);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) != 0;
}

/* A JSON text of about `size` bytes with the address again and again. */
static char *
body_of(const char *email, size_t size)
{
	struct buf body;

	buf_init(&body, size + 200);
	buf_add_format(&body, "{\"Email\":\"%s\",\"Message\":\"", email);
	while (body.len + strlen(email) + 20 < size)
		buf_add_format(&body, "from %s, ", email);
	buf_add_text(&body, "\"}");
	return buf_take(&body);
}

static void
put(struct fixture *fixture, const char *email, size_t size)
{
	char *body = body_of(email, size);

	fixture_store(fixture->store, body);
	free(body);
}

static void
put_refused(struct fixture *fixture, const char *email, size_t size)
{
	char *body = body_of(email, size);
	const struct refusal refusal = {.received_at_ms = BEGIN_MS,
	    .status = 400,
	    .why = "no",
	    .body = body,
	    .body_bytes = strlen(body)};

	store_refuse(fixture->store, &refusal);
	free(body);
}

static struct erase_counts
erase(struct fixture *fixture, const char *email, int64_t wait_ms)
{
	const struct erasure erasure = {.email = email};
	const struct erase_options options = {
	    .mode = CHANGE_MAKE, .clean_wait_ms = wait_ms};
	struct erase_counts counts;

	if (store_erase(fixture->store, &erasure, &options, &counts) !=
	    STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	return counts;
}

static void
is_gone(struct fixture *fixture, const char *email)
{
	struct erase_counts counts = erase(fixture, email, 0);
	char *verdict;

	if (!counts.is_clean)
		fail_msg("%s", store_why(fixture->store));
	if (is_on_disk(fixture->path, email))
		fail_msg("%s is still on the disk", email);
	verdict = fixture_query_text(fixture->path, "PRAGMA integrity_check");
	assert_string_equal(verdict, "ok");
	free(verdict);
	delivery_check(fixture);
}

/* As tests/repeat.h: the same numbers for the same seed. */
static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static size_t
a_size(uint32_t *seed)
{
	static const size_t most[] = {200, 900, 2100, 4500, 30000};

	return 60 + next(seed) % most[next(seed) % 5];
}

/* One life of a spool, in which people come and go. */
static void
run(struct fixture *fixture, uint32_t seed)
{
	int64_t id;
	int i, person = 0;

	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < 100; i++) {
		put(fixture, people[next(&seed) % 3], a_size(&seed));
		if (i % 10 == 0)
			put_refused(
			    fixture, people[next(&seed) % 3], a_size(&seed));
		if (i % 40 == 20)
			delivery_route(fixture, &id, 1);
		if (i > 40 && next(&seed) % 3 == 0)
			delivery_settle(fixture, id, OUTCOME_RETRY);
	}
	for (i = 0; i < 3; i++, person++) {
		is_gone(fixture, people[person]);
		put(fixture, people[2], a_size(&seed));
	}
}

static void
nothing_is_left_after_many_lives_of_a_spool(void **state)
{
	int64_t until_ms = clock_mono_ms() + RUNS_MS;
	uint32_t seed;

	for (seed = 1; seed <= 3 || clock_mono_ms() < until_ms; seed++) {
		if (seed > 1) {
			delivery_teardown(state);
			delivery_setup(state);
		}
		run(*state, seed);
	}
	print_message("# %u lives\n", (unsigned)(seed - 1));
}

/* ---- others ---- */

static sqlite3 *
begin_reading(struct fixture *fixture)
{
	char *name = fixture_join(fixture->path, DB_NAME);
	sqlite3 *db;

	assert_int_equal(
	    sqlite3_open_v2(name, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	free(name);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM events",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	return db;
}

static void
a_reader_in_the_way_is_said_and_the_next_time_it_is_clean(void **state)
{
	struct fixture *fixture = *state;
	struct erase_counts counts;
	sqlite3 *reader;
	int i;

	for (i = 0; i < 30; i++)
		put(fixture, people[i % 2], 3000);
	reader = begin_reading(fixture);
	counts = erase(fixture, people[0], 100);
	assert_int_equal(counts.events, 15);
	assert_false(counts.is_clean);
	assert_true(strlen(store_why(fixture->store)) > 0);
	assert_false(store_is_broken(fixture->store));
	fixture_store(fixture->store, "{}");
	sqlite3_close(reader);
	counts = erase(fixture, people[0], 0);
	assert_int_equal(counts.events, 0);
	assert_true(counts.is_clean);
	assert_false(is_on_disk(fixture->path, people[0]));
}

struct crowd {
	struct fixture *fixture;
	atomic_bool is_over;
};

static void *
capture_on(void *arg)
{
	struct crowd *crowd = arg;
	struct store *store = fixture_open(crowd->fixture->path, STORE_CAPTURE);
	uint32_t seed = 7;

	while (!crowd->is_over) {
		char *body = body_of(people[1], a_size(&seed));

		fixture_store(store, body);
		free(body);
	}
	store_close(store);
	return NULL;
}

static bool
ignore(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	(void)event;
	(void)deliveries;
	(void)count;
	return !*(atomic_bool *)arg;
}

static void *
look_on(void *arg)
{
	struct crowd *crowd = arg;
	struct store *store = fixture_open(crowd->fixture->path, STORE_READ);
	const struct list_filter filter = {.limit = 50};

	while (!crowd->is_over)
		store_export(store, &filter, ignore, &crowd->is_over);
	store_close(store);
	return NULL;
}

static void
nothing_is_left_while_others_capture_and_look(void **state)
{
	struct crowd crowd = {.fixture = *state};
	struct fixture *fixture = *state;
	pthread_t capturer, looker;
	uint32_t seed = 9;
	char *verdict;
	int i, round;

	assert_int_equal(
	    pthread_create(&capturer, NULL, capture_on, &crowd), 0);
	assert_int_equal(pthread_create(&looker, NULL, look_on, &crowd), 0);
	for (round = 0; round < 5; round++) {
		struct erase_counts counts;

		for (i = 0; i < 20; i++)
			put(fixture, people[0], a_size(&seed));
		counts = erase(fixture, people[0], 0);
		if (!counts.is_clean)
			fail_msg("%s", store_why(fixture->store));
		assert_int_equal(counts.events, 20);
		assert_false(is_on_disk(fixture->path, people[0]));
	}
	crowd.is_over = true;
	pthread_join(capturer, NULL);
	pthread_join(looker, NULL);
	assert_false(is_on_disk(fixture->path, people[0]));
	verdict = fixture_query_text(fixture->path, "PRAGMA integrity_check");
	assert_string_equal(verdict, "ok");
	free(verdict);
}

/* ---- and a kill ---- */

/* Erases, in a process of its own that is killed after so long. */
static void
erase_and_die(struct fixture *fixture, const char *email, int64_t after_us)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		fixture->store = fixture_open(fixture->path, STORE_RELAY);
		erase(fixture, email, 0);
		_exit(0);
	}
	usleep((useconds_t)after_us);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void
a_kill_at_any_time_harms_nothing_that_stays(void **state)
{
	struct fixture *fixture = *state;
	uint32_t seed = 5;
	int i, n;

	for (i = 0; i < 12; i++) {
		for (n = 0; n < 30; n++)
			put(fixture, people[n % 2], a_size(&seed));
		store_close(fixture->store);
		erase_and_die(fixture, people[0], 1500 * i);
		fixture->store = fixture_open(fixture->path, STORE_RELAY);
		is_gone(fixture, people[0]);
		assert_int_equal(
		    fixture_query(fixture->path, "SELECT count(*) FROM event"),
		    15 * (i + 1));
	}
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_belongs_to_nothing_in_a_page_is_cleared),
	    cmocka_unit_test(a_page_that_is_not_sound_is_left_alone),
	    cmocka_unit_test(free_pages_are_cleared_and_their_list_is_not),
	    CASE(nothing_is_left_after_many_lives_of_a_spool),
	    CASE(a_reader_in_the_way_is_said_and_the_next_time_it_is_clean),
	    CASE(nothing_is_left_while_others_capture_and_look),
	    CASE(a_kill_at_any_time_harms_nothing_that_stays),
	};

	return cmocka_run_group_tests_name("scrub", tests, NULL, NULL);
}
