/*
 * Retention: what is erased when, what never, and what is left on the disk.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "delivery_fixture.h"
#include "spool/store_internal.h"

#define RETAIN      (30 * DAY_MS)
#define RETAIN_DEAD (90 * DAY_MS)

/* One step at the clock's time. Returns how much was erased. */
static int64_t
erase(struct fixture *fixture, bool *is_more)
{
	const struct retention retention = {.now_ms = delivery_now_ms,
	    .retain_ms = RETAIN,
	    .retain_dead_ms = RETAIN_DEAD,
	    .retain_refused_ms = DAY_MS};
	int64_t erased = -1;

	if (store_erase_old(fixture->store, &retention, &erased, is_more) !=
	    STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	return erased;
}

/* Erases all there is to do. Returns how much. */
static int64_t
erase_all(struct fixture *fixture)
{
	int64_t erased = 0;
	bool is_more = true;

	while (is_more)
		erased += erase(fixture, &is_more);
	delivery_check(fixture);
	return erased;
}

static int64_t
count(struct fixture *fixture, const char *table)
{
	char *sql = xasprintf("SELECT count(*) FROM %s", table);
	int64_t rows = fixture_query(fixture->path, sql);

	free(sql);
	return rows;
}

static void
empty_the_wal(struct fixture *fixture)
{
	if (store_checkpoint(fixture->store, clock_mono_ms() + 5000) !=
	    STORE_OK)
		fail_msg("%s", store_why(fixture->store));
}

static void
a_delivered_event_is_erased_after_its_last_settle(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	delivery_configure(fixture, ids, "crm", "bi", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, ids, 2);
	delivery_settle(fixture, ids[0], OUTCOME_DELIVERED);
	delivery_now_ms += DAY_MS;
	delivery_settle(fixture, ids[1], OUTCOME_RETRY);
	delivery_now_ms += 5000;
	delivery_settle(fixture, ids[1], OUTCOME_DELIVERED);
	delivery_now_ms += RETAIN - 1;
	assert_int_equal(erase_all(fixture), 0);
	delivery_now_ms += 1;
	assert_int_equal(erase_all(fixture), 1);
	assert_int_equal(count(fixture, "events"), 0);
	assert_int_equal(count(fixture, "deliveries"), 0);
	assert_int_equal(count(fixture, "attempts"), 0);
	assert_int_equal(erase_all(fixture), 0);
}

static void
an_event_with_a_dead_delivery_is_kept_for_longer(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	delivery_configure(fixture, ids, "crm", "bi", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, ids, 2);
	delivery_settle(fixture, ids[0], OUTCOME_DEAD);
	delivery_settle(fixture, ids[1], OUTCOME_DELIVERED);
	delivery_now_ms += RETAIN_DEAD - 1;
	assert_int_equal(erase_all(fixture), 0);
	delivery_now_ms += 1;
	assert_int_equal(erase_all(fixture), 1);
	assert_int_equal(count(fixture, "events"), 0);
}

static void
an_event_that_matched_nothing_is_erased_after_its_capture(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_now_ms += DAY_MS;
	delivery_route(fixture, &id, 0);
	delivery_now_ms += RETAIN - DAY_MS - 1;
	assert_int_equal(erase_all(fixture), 0);
	delivery_now_ms += 1;
	assert_int_equal(erase_all(fixture), 1);
}

static void
what_is_new_pending_or_orphaned_is_never_erased(void **state)
{
	struct fixture *fixture = *state;
	int64_t ids[2];

	delivery_configure(fixture, ids, "crm", "bi", NULL);
	delivery_put(fixture, NULL, "pending at one", NULL);
	delivery_route(fixture, ids, 2);
	delivery_settle(fixture, ids[0], OUTCOME_DELIVERED);
	delivery_put(fixture, NULL, "orphaned", NULL);
	delivery_route(fixture, &ids[1], 1);
	delivery_configure(fixture, ids, "crm", NULL);
	delivery_put(fixture, NULL, "new", NULL);
	delivery_now_ms += 1000 * DAY_MS;
	assert_int_equal(erase_all(fixture), 0);
	assert_int_equal(count(fixture, "events"), 3);
}

static void
no_time_means_for_ever(void **state)
{
	struct fixture *fixture = *state;
	const struct retention retention = {.now_ms = BEGIN_MS + 9999 * DAY_MS};
	const struct refusal refusal = {.received_at_ms = BEGIN_MS,
	    .status = 400,
	    .why = "no",
	    .body = "x",
	    .body_bytes = 1};
	int64_t id, erased = -1;
	bool is_more = true;

	delivery_configure(fixture, &id, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_put(fixture, NULL, "b", NULL);
	delivery_route(fixture, &id, 1);
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	delivery_settle(fixture, id, OUTCOME_DEAD);
	store_refuse(fixture->store, &refusal);
	assert_int_equal(
	    store_erase_old(fixture->store, &retention, &erased, &is_more),
	    STORE_OK);
	assert_int_equal(erased, 0);
	assert_false(is_more);
	assert_int_equal(count(fixture, "refusals"), 1);
}

static void
a_spool_that_is_nearly_full_lets_go_of_what_was_delivered(void **state)
{
	struct fixture *fixture = *state;
	int64_t id, size = 0, wal = 0, erased;
	char *body = xcalloc(10001, 1);
	int i;

	memset(body, '.', 10000);
	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < 100; i++)
		fixture_store(fixture->store, body);
	delivery_route(fixture, &id, 1);
	delivery_settle(fixture, id, OUTCOME_DEAD);
	for (i = 0; i < 98; i++)
		delivery_settle(fixture, id, OUTCOME_DELIVERED);
	empty_the_wal(fixture);
	assert_int_equal(
	    store_read_size(fixture->store, &size, &wal), STORE_OK);
	store_set_limits(fixture->store, 0, size * 2);
	assert_int_equal(erase_all(fixture), 0);
	store_set_limits(fixture->store, 0, size);
	erased = erase_all(fixture);
	assert_in_range(erased, 1, 98);
	store_set_limits(fixture->store, 0, 1000);
	assert_int_equal(erase_all(fixture), 98 - erased);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT count(*) FROM delivery WHERE state IN "
			     "('dead', 'pending')"),
	    2);
	free(body);
}

static void
a_step_that_has_done_its_part_says_that_there_is_more(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;
	bool is_more = false;
	int i;

	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < 60; i++)
		delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 0);
	delivery_now_ms += RETAIN;
	assert_int_equal(erase(fixture, &is_more), 50);
	assert_true(is_more);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT min(seq) FROM event"), 51);
	assert_int_equal(erase(fixture, &is_more), 10);
	assert_false(is_more);
}

static void
a_number_is_not_used_again(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	delivery_put(fixture, NULL, "a", NULL);
	delivery_route(fixture, &id, 0);
	delivery_now_ms += RETAIN;
	assert_int_equal(erase_all(fixture), 1);
	assert_int_equal(delivery_put(fixture, NULL, "b", NULL), 2);
	delivery_check(fixture);
}

static void
refused_bodies_have_their_own_time(void **state)
{
	struct fixture *fixture = *state;
	struct refusal refusal = {.received_at_ms = BEGIN_MS,
	    .status = 400,
	    .why = "no",
	    .body = "x",
	    .body_bytes = 1};

	store_refuse(fixture->store, &refusal);
	refusal.received_at_ms += 1;
	store_refuse(fixture->store, &refusal);
	delivery_now_ms += DAY_MS;
	assert_int_equal(erase_all(fixture), 1);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT received_at_ms FROM refusals"),
	    BEGIN_MS + 1);
}

/* ---- what is left on the disk ---- */

static bool
is_in_file(const char *path, const char *name, const char *word)
{
	char *file = fixture_join(path, name), *bytes;
	int fd = open(file, O_RDONLY);
	struct stat about = {0};
	bool is_there;

	free(file);
	if (fd < 0)
		return false;
	assert_int_equal(fstat(fd, &about), 0);
	bytes = xmalloc((size_t)about.st_size + 1);
	assert_int_equal(read(fd, bytes, (size_t)about.st_size), about.st_size);
	is_there = about.st_size > 0 && memmem(bytes, (size_t)about.st_size,
					    word, strlen(word)) != NULL;
	free(bytes);
	close(fd);
	return is_there;
}

/* Stores a body of `size` bytes that holds the word again and again, so that
 * it is in leaf pages and in overflow pages. */
static void
put_word(struct fixture *fixture, const char *word, size_t size)
{
	char *body = xcalloc(size + 1, 1);
	size_t at;

	memset(body, '.', size);
	for (at = 0; at + strlen(word) < size; at += 90)
		memcpy(body + at, word, strlen(word));
	fixture_store(fixture->store, body);
	free(body);
}

static void
nothing_of_an_erased_body_is_left_in_the_files(void **state)
{
	struct fixture *fixture = *state;
	static const size_t sizes[] = {100, 1600, 5000, 20000};
	static const char early[] = "jane@example.org";
	static const char late[] = "john@example.org";
	struct route routes[40];
	int64_t id;
	int i;

	/* Every other one matches nothing and so goes earlier. */
	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < 40; i++) {
		put_word(fixture, early, sizes[i % 4]);
		put_word(fixture, late, sizes[(i + 1) % 4]);
		routes[i] = (struct route){2 * i + 2, id};
	}
	assert_int_equal(
	    store_route(fixture->store, 0, 80, routes, 40), STORE_OK);
	empty_the_wal(fixture);
	assert_true(is_in_file(fixture->path, DB_NAME, early));
	delivery_now_ms += RETAIN;
	assert_int_equal(erase_all(fixture), 40);
	empty_the_wal(fixture);
	assert_false(is_in_file(fixture->path, DB_NAME, early));
	assert_true(is_in_file(fixture->path, DB_NAME, late));
	for (i = 0; i < 40; i++)
		delivery_settle(fixture, id, OUTCOME_DELIVERED);
	delivery_now_ms += RETAIN;
	assert_int_equal(erase_all(fixture), 40);
	empty_the_wal(fixture);
	assert_false(is_in_file(fixture->path, DB_NAME, late));
	assert_false(is_in_file(fixture->path, WAL_NAME, late));
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_delivered_event_is_erased_after_its_last_settle),
	    CASE(an_event_with_a_dead_delivery_is_kept_for_longer),
	    CASE(an_event_that_matched_nothing_is_erased_after_its_capture),
	    CASE(what_is_new_pending_or_orphaned_is_never_erased),
	    CASE(no_time_means_for_ever),
	    CASE(a_spool_that_is_nearly_full_lets_go_of_what_was_delivered),
	    CASE(a_step_that_has_done_its_part_says_that_there_is_more),
	    CASE(a_number_is_not_used_again),
	    CASE(refused_bodies_have_their_own_time),
	    CASE(nothing_of_an_erased_body_is_left_in_the_files),
	};

	return cmocka_run_group_tests_name("erase", tests, NULL, NULL);
}
