/*
 * What leaves the spool and what comes in by hand: export, backup, and refused
 * bodies that are taken after all.
 */
#include "config.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "delivery_fixture.h"
#include "spool/store_internal.h"

static const char jane[] = "{\"EventType\":\"x\",\"Events\":[{\"NoteId\":3}]}";
static const char john[] = "{\"EventType\":\"x\",\"Events\":[{\"NoteId\":4}]}";

static int64_t
count(struct fixture *fixture, const char *table)
{
	char *sql = xasprintf("SELECT count(*) FROM %s", table);
	int64_t rows = fixture_query(fixture->path, sql);

	free(sql);
	return rows;
}

static void
refuse(struct fixture *fixture, const char *body, size_t sent_bytes)
{
	const struct refusal refusal = {.received_at_ms = delivery_now_ms,
	    .status = 400,
	    .why = "no",
	    .body = body,
	    .body_bytes = strlen(body),
	    .sent_bytes = (int64_t)sent_bytes};

	store_refuse(fixture->store, &refusal);
}

/* ---- export ---- */

struct collected {
	struct buf seqs;
	struct buf bodies;
};

static bool
collect(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t deliveries_count)
{
	struct collected *collected = arg;

	(void)deliveries;
	(void)deliveries_count;
	buf_add_format(&collected->seqs, "%lld ", (long long)event->seq);
	buf_add(&collected->bodies, event->body, (size_t)event->body_bytes);
	return true;
}

static void
export_is(struct fixture *fixture, const struct list_filter *filter,
    const char *seqs, const char *bodies)
{
	struct collected collected;

	buf_init(&collected.seqs, 1000);
	buf_init(&collected.bodies, 1000);
	if (store_export(fixture->store, filter, collect, &collected) !=
	    STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	assert_string_equal(buf_text(&collected.seqs), seqs);
	assert_string_equal(buf_text(&collected.bodies), bodies);
	buf_free(&collected.seqs);
	buf_free(&collected.bodies);
}

static void
an_export_has_the_bodies_in_capture_order(void **state)
{
	struct fixture *fixture = *state;
	struct list_filter filter = {.limit = 0};
	int64_t id;

	delivery_configure(fixture, &id, "crm", NULL);
	fixture_store(fixture->store, "a");
	fixture_store(fixture->store, "b");
	delivery_route(fixture, &id, 1);
	delivery_settle(fixture, id, OUTCOME_DEAD);
	delivery_now_ms += DAY_MS;
	fixture_store(fixture->store, "c");
	export_is(fixture, &filter, "1 2 3 ", "abc");
	filter.limit = 2;
	export_is(fixture, &filter, "1 2 ", "ab");
	filter = (struct list_filter){.state = LIST_STATE_DEAD};
	export_is(fixture, &filter, "1 ", "a");
	filter = (struct list_filter){.state = LIST_STATE_NEW};
	export_is(fixture, &filter, "3 ", "c");
	filter = (struct list_filter){.since = {true, delivery_now_ms}};
	export_is(fixture, &filter, "3 ", "c");
	filter = (struct list_filter){.ticket = "1"};
	export_is(fixture, &filter, "", "");
}

/* ---- backup ---- */

static bool
count_call(void *arg, int64_t written_bytes, int64_t total_bytes)
{
	assert_true(written_bytes >= 0 && total_bytes > 0);
	++*(int *)arg;
	return true;
}

static bool
stop(void *arg, int64_t written_bytes, int64_t total_bytes)
{
	(void)arg;
	(void)written_bytes;
	(void)total_bytes;
	return false;
}

/* Puts the copy in the place of the spool's database. */
static void
restore(struct fixture *fixture, const char *copy)
{
	char *db = fixture_join(fixture->path, DB_NAME);
	char *wal = fixture_join(fixture->path, WAL_NAME);
	char *shm = fixture_join(fixture->path, SHM_NAME);

	store_close(fixture->store);
	unlink(wal);
	unlink(shm);
	assert_int_equal(rename(copy, db), 0);
	free(db);
	free(wal);
	free(shm);
	fixture->store = fixture_open(fixture->path, STORE_RELAY);
}

static void
a_backup_can_take_the_place_of_the_spool(void **state)
{
	struct fixture *fixture = *state;
	char *copy = fixture_join(fixture->folder, "copy");
	char *body = xcalloc(5001, 1);
	int calls = 0, i;
	struct stat about;
	int64_t id;

	memset(body, '.', 5000);
	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < 300; i++)
		fixture_store(fixture->store, body);
	delivery_route(fixture, &id, 1);
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	if (store_backup(fixture->store, copy, count_call, &calls) != STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	assert_int_equal(stat(copy, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	fixture_store(fixture->store, "too late");
	restore(fixture, copy);
	assert_int_equal(count(fixture, "events"), 300);
	delivery_check(fixture);
	assert_int_equal(fixture_store(fixture->store, "next"), 301);
	assert_int_equal(delivery_settle(fixture, id, OUTCOME_DELIVERED), 2);
	free(body);
	free(copy);
}

struct capturer {
	const char *path;
	atomic_bool is_over;
	int64_t count;
};

static void *
capture_on(void *arg)
{
	struct capturer *capturer = arg;
	struct store *store = fixture_open(capturer->path, STORE_CAPTURE);

	for (; !capturer->is_over; capturer->count++)
		fixture_store(store, "{}");
	store_close(store);
	return NULL;
}

static void
a_backup_is_whole_while_others_capture(void **state)
{
	struct fixture *fixture = *state;
	struct capturer capturer = {.path = fixture->path};
	char *copy = fixture_join(fixture->folder, "copy");
	int64_t before, id;
	pthread_t thread;
	char *verdict;
	int i;

	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < 500; i++)
		fixture_store(fixture->store, john);
	assert_int_equal(
	    pthread_create(&thread, NULL, capture_on, &capturer), 0);
	for (i = 0; i < 5; i++) {
		delivery_route(fixture, &id, 1);
		unlink(copy);
		before = count(fixture, "events");
		if (store_backup(fixture->store, copy, NULL, NULL) != STORE_OK)
			fail_msg("%s", store_why(fixture->store));
	}
	capturer.is_over = true;
	pthread_join(thread, NULL);
	restore(fixture, copy);
	assert_in_range(count(fixture, "events"), before, 500 + capturer.count);
	verdict = fixture_query_text(fixture->path, "PRAGMA integrity_check");
	assert_string_equal(verdict, "ok");
	delivery_check(fixture);
	free(verdict);
	free(copy);
}

static void
a_backup_replaces_nothing_and_leaves_nothing_half_done(void **state)
{
	struct fixture *fixture = *state;
	char *copy = fixture_join(fixture->folder, "copy");
	char *part = fixture_join(fixture->folder, "copy.part");
	char *body = xcalloc(100001, 1);
	int i;

	memset(body, '.', 100000);
	for (i = 0; i < 50; i++)
		fixture_store(fixture->store, body);
	free(body);
	assert_int_equal(
	    store_backup(fixture->store, copy, NULL, NULL), STORE_OK);
	assert_int_equal(
	    store_backup(fixture->store, copy, NULL, NULL), STORE_REFUSED);
	assert_int_equal(unlink(copy), 0);
	assert_int_equal(
	    store_backup(fixture->store, "/nowhere/copy", NULL, NULL),
	    STORE_REFUSED);
	assert_int_not_equal(access(copy, F_OK), 0);
	assert_int_not_equal(access(part, F_OK), 0);
	assert_false(store_is_broken(fixture->store));
	fixture_store(fixture->store, "still fine");
	free(part);
	free(copy);
}

static void
a_backup_can_be_stopped(void **state)
{
	struct fixture *fixture = *state;
	char *copy = fixture_join(fixture->folder, "copy");
	char *part = fixture_join(fixture->folder, "copy.part");
	int i;

	for (i = 0; i < 3000; i++)
		fixture_store(fixture->store, "x");
	assert_int_equal(
	    store_backup(fixture->store, copy, stop, NULL), STORE_REFUSED);
	assert_int_not_equal(access(copy, F_OK), 0);
	assert_int_not_equal(access(part, F_OK), 0);
	assert_false(store_is_broken(fixture->store));
	fixture_store(fixture->store, "still fine");
	free(part);
	free(copy);
}

/* ---- refused bodies taken after all ---- */

static void
a_refused_body_becomes_an_event(void **state)
{
	struct fixture *fixture = *state;
	struct capture capture = fixture_capture(john);

	refuse(fixture, jane, strlen(jane));
	refuse(fixture, john, strlen(john));
	fixture_store(fixture->store, "before");
	if (store_accept_refused(fixture->store, 2, &capture) != STORE_OK)
		fail_msg("%s", store_why(fixture->store));
	assert_int_equal(capture.result, CAPTURE_STORED);
	assert_int_equal(capture.seq, 2);
	assert_int_equal(count(fixture, "refusals WHERE seq = 1"), 1);
	assert_int_equal(count(fixture, "refusals"), 1);
	assert_int_equal(
	    store_accept_refused(fixture->store, 2, &capture), STORE_GONE);
	assert_int_equal(count(fixture, "events"), 2);
}

static void
a_refused_body_that_was_cut_off_or_is_another_is_not_taken(void **state)
{
	struct fixture *fixture = *state;
	struct capture capture = fixture_capture(john);

	refuse(fixture, john, strlen(john) + 1);
	refuse(fixture, john, (size_t)-1);
	refuse(fixture, jane, strlen(jane));
	assert_int_equal(
	    store_accept_refused(fixture->store, 1, &capture), STORE_REFUSED);
	assert_int_equal(
	    store_accept_refused(fixture->store, 2, &capture), STORE_REFUSED);
	assert_int_equal(
	    store_accept_refused(fixture->store, 3, &capture), STORE_REFUSED);
	assert_int_equal(capture.result, CAPTURE_FAILED);
	assert_int_equal(count(fixture, "refusals"), 3);
	assert_int_equal(count(fixture, "events"), 0);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(an_export_has_the_bodies_in_capture_order),
	    CASE(a_backup_can_take_the_place_of_the_spool),
	    CASE(a_backup_is_whole_while_others_capture),
	    CASE(a_backup_replaces_nothing_and_leaves_nothing_half_done),
	    CASE(a_backup_can_be_stopped),
	    CASE(a_refused_body_becomes_an_event),
	    CASE(a_refused_body_that_was_cut_off_or_is_another_is_not_taken),
	};

	return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
