/*
 * Claiming and settling deliveries.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delivery_fixture.h"
#include "spool/store_internal.h"

#define NEVER INT64_MAX

/* Puts `count` events and routes them to the destination. */
static int64_t
fill(struct fixture *fixture, int count)
{
	int64_t id;
	int i;

	delivery_configure(fixture, &id, "crm", NULL);
	for (i = 0; i < count; i++)
		delivery_put(fixture, "Example", "a", "1");
	delivery_route(fixture, &id, 1);
	return id;
}

static int64_t
next_at(struct fixture *fixture, int64_t destination, const int64_t *claimed,
    size_t count)
{
	int64_t next_at_ms = -1;

	assert_int_equal(store_read_next_at(fixture->store, destination,
			     claimed, count, &next_at_ms),
	    STORE_OK);
	return next_at_ms;
}

static enum store_status
look(struct fixture *fixture, int64_t destination)
{
	struct due due;
	enum store_status status = store_read_due(fixture->store, destination,
	    delivery_now_ms, DAY_MS, NULL, 0, &due);

	store_free_due(&due);
	return status;
}

static bool
is_pending(struct fixture *fixture)
{
	bool is_pending = false;

	assert_int_equal(
	    store_read_pending(fixture->store, &is_pending), STORE_OK);
	return is_pending;
}

static void
what_is_due_comes_whole_and_the_oldest_first(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 2);
	struct due due = delivery_take(fixture, id);
	char *body = NULL, *first = fixture_query_text(fixture->path,
			       "SELECT id FROM event WHERE seq = 1");
	size_t body_bytes = 0;

	assert_int_equal(due.seq, 1);
	assert_int_equal(due.destination, id);
	assert_string_equal(due.id, first);
	assert_int_equal(due.attempts, 0);
	assert_int_equal(due.first_attempt_ms, 0);
	assert_string_equal(due.type, "a");
	assert_string_equal(due.content_type, "application/json");
	assert_int_equal(due.body_bytes, 7);
	assert_int_equal(
	    store_read_body(fixture->store, due.seq, &body, &body_bytes),
	    STORE_OK);
	assert_int_equal(body_bytes, 7);
	assert_memory_equal(body, "{\"a\":1}", 7);
	free(body);
	free(first);
	store_free_due(&due);
}

static void
claimed_deliveries_are_left_out(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 3);
	const int64_t claimed[] = {2, 1, 3};
	struct due due;

	assert_int_equal(store_read_due(fixture->store, id, delivery_now_ms,
			     DAY_MS, claimed, 2, &due),
	    STORE_OK);
	assert_int_equal(due.seq, 3);
	store_free_due(&due);
	assert_int_equal(store_read_due(fixture->store, id, delivery_now_ms,
			     DAY_MS, claimed, 3, &due),
	    STORE_GONE);
	assert_true(next_at(fixture, id, claimed, 2) <= delivery_now_ms);
	assert_true(next_at(fixture, id, claimed, 3) == NEVER);
}

static void
what_was_tried_waits_for_its_time_and_delays_no_other(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 2);

	assert_int_equal(delivery_settle(fixture, id, OUTCOME_RETRY), 1);
	assert_int_equal(delivery_settle(fixture, id, OUTCOME_DELIVERED), 2);
	assert_int_equal(look(fixture, id), STORE_GONE);
	assert_int_equal(next_at(fixture, id, NULL, 0), delivery_now_ms + 5000);
	assert_true(is_pending(fixture));
	delivery_now_ms += 4999;
	assert_int_equal(look(fixture, id), STORE_GONE);
	delivery_now_ms += 1;
	assert_int_equal(look(fixture, id), STORE_OK);
	delivery_check(fixture);
}

static void
a_time_further_ahead_than_the_cap_is_due_now(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);

	delivery_now_ms +=
	    3 * DAY_MS; /* a step forward, an attempt, and back */
	delivery_settle(fixture, id, OUTCOME_RETRY);
	delivery_now_ms -= 3 * DAY_MS;
	assert_int_equal(look(fixture, id), STORE_OK);
	delivery_now_ms += 2 * DAY_MS + 5000;
	assert_int_equal(look(fixture, id), STORE_GONE);
}

static void
a_delivery_remembers_its_attempts(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);
	struct due due;
	char *row;

	delivery_now_ms += 60000;
	delivery_settle(fixture, id, OUTCOME_RETRY);
	delivery_now_ms += 30000;
	delivery_settle(fixture, id, OUTCOME_RETRY);
	delivery_now_ms += 30000;
	due = delivery_take(fixture, id);
	assert_int_equal(due.attempts, 2);
	assert_int_equal(due.first_attempt_ms, BEGIN_MS + 60000);
	store_free_due(&due);
	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	row = fixture_query_text(fixture->path,
	    "SELECT state || ' ' || attempts || ' ' || last_outcome || ' ' "
	    "|| last_status || ' ' || (settled_at_ms - 1700000000000) || "
	    "coalesce(last_error, '') || coalesce(next_at_ms, '') "
	    "FROM delivery");
	assert_string_equal(row, "delivered 3 delivered 204 120000");
	free(row);
	row = fixture_query_text(fixture->path,
	    "SELECT group_concat(number || ' ' || outcome || ' ' || status || "
	    "' ' || coalesce(error, '-') || ' ' || answer) FROM attempts");
	assert_string_equal(row,
	    "1 0 503 not now answer,2 0 503 not now answer,"
	    "3 1 204 - answer");
	free(row);
	assert_int_equal(look(fixture, id), STORE_GONE);
	assert_false(is_pending(fixture));
	delivery_check(fixture);
}

static void
a_settle_from_a_changed_generation_is_not_applied(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 2);
	struct due due = delivery_take(fixture, id);
	struct settlement batch[2] = {
	    delivery_settlement(&due, OUTCOME_DELIVERED),
	    delivery_settlement(&due, OUTCOME_DEAD)};

	delivery_settle(fixture, id, OUTCOME_RETRY);
	batch[1].seq = 2;
	batch[0].is_applied = true;
	assert_int_equal(store_settle(fixture->store, batch, 2), STORE_OK);
	assert_false(batch[0].is_applied);
	assert_true(batch[1].is_applied);
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT group_concat(state || attempts, '') = 'pending1dead1' "
		"FROM (SELECT * FROM delivery JOIN event ON id = event_id "
		"ORDER BY seq)"),
	    1);
	store_free_due(&due);
	delivery_check(fixture);
}

static void
a_settled_delivery_cannot_be_settled_again(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);
	struct due due = delivery_take(fixture, id);
	struct settlement settlement;

	delivery_settle(fixture, id, OUTCOME_DELIVERED);
	due.generation++;
	settlement = delivery_settlement(&due, OUTCOME_DEAD);
	assert_int_equal(
	    store_settle(fixture->store, &settlement, 1), STORE_OK);
	assert_false(settlement.is_applied);
	store_free_due(&due);
	delivery_check(fixture);
}

static void
an_abandoned_attempt_counts_for_nothing_and_ends_its_claim(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);
	struct due before = delivery_take(fixture, id), after;
	struct settlement late = delivery_settlement(&before, OUTCOME_DEAD);

	delivery_settle(fixture, id, OUTCOME_ABANDONED);
	after = delivery_take(fixture, id);
	assert_int_equal(after.attempts, 0);
	assert_int_equal(after.first_attempt_ms, 0);
	assert_int_equal(after.next_at_ms, before.next_at_ms);
	assert_int_equal(after.generation, before.generation + 1);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM attempts"), 0);
	assert_int_equal(store_settle(fixture->store, &late, 1), STORE_OK);
	assert_false(late.is_applied);
	store_free_due(&before);
	store_free_due(&after);
	delivery_check(fixture);
}

static void
the_newest_20_attempts_are_kept(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);
	int i;

	for (i = 0; i < 23; i++) {
		delivery_settle(fixture, id, OUTCOME_RETRY);
		delivery_now_ms += 5000;
	}
	assert_int_equal(
	    fixture_query(fixture->path,
		"SELECT 1000 * min(number) + 10 * max(number) FROM attempts "
		"HAVING count(*) = 20"),
	    4230);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT attempts FROM delivery"), 23);
}

static void
a_long_answer_is_cut(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);
	struct due due = delivery_take(fixture, id);
	struct settlement settlement = delivery_settlement(&due, OUTCOME_DEAD);
	char answer[ANSWER_MAX_BYTES + 1];

	memset(answer, 'a', sizeof answer);
	settlement.answer = answer;
	settlement.answer_bytes = sizeof answer;
	assert_int_equal(
	    store_settle(fixture->store, &settlement, 1), STORE_OK);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT length(answer) FROM attempts"),
	    ANSWER_MAX_BYTES);
	store_free_due(&due);
}

static void
deliveries_of_a_removed_destination_are_not_pending(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1), other;

	assert_true(is_pending(fixture));
	delivery_configure(fixture, &other, "bi", NULL);
	assert_false(is_pending(fixture));
	delivery_put(fixture, NULL, "new", NULL);
	assert_true(is_pending(fixture));
	delivery_route(fixture, &other, 0);
	assert_false(is_pending(fixture));
	delivery_configure(fixture, &other, "crm", NULL);
	assert_int_equal(other, id);
	assert_true(is_pending(fixture));
	assert_int_equal(delivery_settle(fixture, id, OUTCOME_DELIVERED), 1);
}

static void
deliveries_of_a_paused_destination_are_not_pending(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture, 1);
	assert_int_equal(
	    store_pause(fixture->store, "crm", "jane", "why"), STORE_OK);
	assert_false(is_pending(fixture));
	delivery_put(fixture, NULL, "new", NULL);
	assert_true(is_pending(fixture));
	assert_int_equal(store_resume(fixture->store, "crm"), STORE_OK);
	assert_true(is_pending(fixture));
}

static void
a_crash_before_the_settle_leaves_the_delivery_due(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);
	struct due due = delivery_take(fixture, id);

	store_free_due(&due);
	store_close(fixture->store);
	fixture->store = fixture_open(fixture->path, STORE_RELAY);
	due = delivery_take(fixture, id);
	assert_int_equal(due.seq, 1);
	assert_int_equal(due.generation, 0);
	store_free_due(&due);
}

static void
a_settle_that_could_not_be_written_is_not_applied(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);
	struct due due = delivery_take(fixture, id);
	struct settlement settlement =
	    delivery_settlement(&due, OUTCOME_DELIVERED);

	delivery_exec(fixture,
	    "CREATE TRIGGER no BEFORE INSERT ON attempts BEGIN "
	    "SELECT raise(ABORT, 'no'); END");
	assert_int_not_equal(
	    store_settle(fixture->store, &settlement, 1), STORE_OK);
	assert_false(settlement.is_applied);
	delivery_exec(fixture, "DROP TRIGGER no");
	delivery_check(fixture);
	assert_int_equal(
	    store_settle(fixture->store, &settlement, 1), STORE_OK);
	assert_true(settlement.is_applied);
	store_free_due(&due);
}

static void
a_settle_that_cannot_have_the_lock_says_so_in_time(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, 1);
	struct due due = delivery_take(fixture, id);
	struct settlement settlement =
	    delivery_settlement(&due, OUTCOME_DELIVERED);
	char *name = fixture_join(fixture->path, "lock");
	int fd = open(name, O_RDWR);

	assert_int_equal(flock(fd, LOCK_EX), 0);
	fixture->store->write_wait_ms = 20;
	assert_int_equal(
	    store_settle(fixture->store, &settlement, 1), STORE_BUSY);
	assert_false(settlement.is_applied);
	close(fd);
	assert_int_equal(
	    store_settle(fixture->store, &settlement, 1), STORE_OK);
	assert_true(settlement.is_applied);
	free(name);
	store_free_due(&due);
}

#define KILL_EVENTS 300
#define KILL_AFTER  50

/* Settles on and on, and says each one; never returns. */
static void
settle_until_killed(struct fixture *fixture, int64_t destination, int said)
{
	int i;

	fixture->store = fixture_open(fixture->path, STORE_RELAY);
	for (i = 0; i < KILL_EVENTS; i++) {
		delivery_settle(fixture, destination, OUTCOME_DELIVERED);
		if (write(said, ".", 1) != 1)
			_exit(1);
	}
	for (;;)
		pause();
}

static void
a_kill_amid_settles_loses_none_that_was_committed(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fill(fixture, KILL_EVENTS), delivered;
	int said[2], i;
	char byte;
	pid_t child;

	store_close(fixture->store); /* nobody forks with an open spool */
	fixture->store = NULL;
	assert_int_equal(pipe(said), 0);
	child = fork();
	if (child == 0)
		settle_until_killed(fixture, id, said[1]);
	close(said[1]);
	for (i = 0; i < KILL_AFTER; i++)
		assert_int_equal(read(said[0], &byte, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	while (read(said[0], &byte, 1) == 1)
		i++;
	close(said[0]);
	fixture->store = fixture_open(fixture->path, STORE_RELAY);
	delivery_check(fixture);
	delivered =
	    fixture_query(fixture->path, "SELECT delivered FROM destinations");
	assert_in_range(delivered, i, i + 1);
	assert_int_equal(
	    fixture_query(fixture->path, "SELECT count(*) FROM attempts"),
	    delivered);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_is_due_comes_whole_and_the_oldest_first),
	    CASE(claimed_deliveries_are_left_out),
	    CASE(what_was_tried_waits_for_its_time_and_delays_no_other),
	    CASE(a_time_further_ahead_than_the_cap_is_due_now),
	    CASE(a_delivery_remembers_its_attempts),
	    CASE(a_settle_from_a_changed_generation_is_not_applied),
	    CASE(a_settled_delivery_cannot_be_settled_again),
	    CASE(an_abandoned_attempt_counts_for_nothing_and_ends_its_claim),
	    CASE(the_newest_20_attempts_are_kept),
	    CASE(a_long_answer_is_cut),
	    CASE(deliveries_of_a_removed_destination_are_not_pending),
	    CASE(deliveries_of_a_paused_destination_are_not_pending),
	    CASE(a_crash_before_the_settle_leaves_the_delivery_due),
	    CASE(a_settle_that_could_not_be_written_is_not_applied),
	    CASE(a_settle_that_cannot_have_the_lock_says_so_in_time),
	    CASE(a_kill_amid_settles_loses_none_that_was_committed),
	};

	return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
