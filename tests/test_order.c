/*
 * The order per ticket, with whatever may happen in between: random outcomes,
 * replays and drops, relays that are killed. What is promised is in
 * hookspool-store(7), Order; here it is put to the test after each step.
 */
#include "config.h"

#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delivery_fixture.h"

#define TICKETS    4
#define EVENTS_MAX 4000
#define HANDS_MAX  6 /* in flight at once */

/* A destination that remembers, and the relay that serves it. */
struct world {
	struct fixture *fixture;
	int64_t destination;
	uint32_t random;
	int64_t event_count;
	char ticket[EVENTS_MAX];    /* of each seq */
	bool is_exempt[EVENTS_MAX]; /* it died, was dropped or replayed */
	bool is_there[EVENTS_MAX];  /* the destination has had it */
	int repeats;                /* what it has had more than once */
	struct due hands[HANDS_MAX];
	size_t hand_count;
};

static uint32_t
roll(struct world *world, uint32_t sides)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 17;
	world->random ^= world->random << 5;
	return world->random % sides;
}

/* ---- the destination ---- */

/* It comes for the first time: all earlier ones of its ticket that are not
 * exempt must have come before. */
static void
arrive(struct world *world, int64_t seq)
{
	int64_t earlier;

	if (world->is_there[seq])
		world->repeats++;
	for (earlier = 1;
	     earlier < seq && !world->is_there[seq] && !world->is_exempt[seq];
	     earlier++)
		if (world->ticket[earlier] == world->ticket[seq] &&
		    !world->is_there[earlier] && !world->is_exempt[earlier])
			fail_msg("%lld came before %lld of the same ticket",
			    (long long)seq, (long long)earlier);
	world->is_there[seq] = true;
}

/* ---- the relay ---- */

static void
let_go(struct world *world, size_t hand)
{
	store_free_due(&world->hands[hand]);
	world->hands[hand] = world->hands[--world->hand_count];
}

static void
take(struct world *world)
{
	struct fixture *fixture = world->fixture;
	int64_t claimed[HANDS_MAX];
	size_t i;

	if (world->hand_count == HANDS_MAX)
		return;
	for (i = 0; i < world->hand_count; i++)
		claimed[i] = world->hands[i].seq;
	if (store_read_due(fixture->store, world->destination, delivery_now_ms,
		DAY_MS, claimed, world->hand_count,
		&world->hands[world->hand_count]) == STORE_OK)
		world->hand_count++;
}

static enum outcome
roll_outcome(struct world *world)
{
	switch (roll(world, 10)) {
	case 0:
		return OUTCOME_DEAD;
	case 1:
		return OUTCOME_ABANDONED;
	case 2:
	case 3:
	case 4:
		return OUTCOME_RETRY;
	default:
		return OUTCOME_DELIVERED;
	}
}

static void
settle(struct world *world, enum outcome outcome)
{
	size_t hand = roll(world, (uint32_t)world->hand_count);
	int64_t seq = world->hands[hand].seq;
	struct settlement settlement =
	    delivery_settlement(&world->hands[hand], outcome);

	if (outcome == OUTCOME_DELIVERED)
		arrive(world, seq);
	settlement.next_at_ms = delivery_now_ms + 1 + roll(world, 100);
	assert_int_equal(
	    store_settle(world->fixture->store, &settlement, 1), STORE_OK);
	if (outcome == OUTCOME_DEAD && settlement.is_applied)
		world->is_exempt[seq] = true;
	let_go(world, hand);
}

/* What is in flight may have arrived: nobody knows any more. */
static void
crash(struct world *world)
{
	while (world->hand_count > 0) {
		if (roll(world, 2) == 0)
			arrive(world, world->hands[0].seq);
		let_go(world, 0);
	}
	store_close(world->fixture->store);
	world->fixture->store = fixture_open(world->fixture->path, STORE_RELAY);
}

/* ---- the sender and the operator ---- */

static void
capture(struct world *world)
{
	char ticket[2] = {(char)('a' + (int)roll(world, TICKETS)), '\0'};
	int64_t seq;

	if (world->event_count + 1 == EVENTS_MAX)
		return;
	seq = delivery_put(world->fixture, "Example", "a", ticket);
	world->event_count = seq;
	world->ticket[seq] = ticket[0];
	if (roll(world, 2) == 0)
		delivery_route(world->fixture, &world->destination, 1);
}

static void
interfere(struct world *world)
{
	struct fixture *fixture = world->fixture;
	const struct list_filter filter = {.limit = 0};
	struct change_options options = {.mode = CHANGE_MAKE};
	struct change_counts counts;
	int64_t seq;
	char *id;

	if (world->event_count == 0)
		return;
	seq = 1 + (int64_t)roll(world, (uint32_t)world->event_count);
	id = delivery_id(fixture, seq);
	options.event_id = id;
	assert_int_equal((roll(world, 2) == 0 ? store_replay : store_drop)(
			     fixture->store, &filter, &options, &counts),
	    STORE_OK);
	if (counts.replayed + counts.dropped > 0)
		world->is_exempt[seq] = true;
	free(id);
}

static void
come_back(struct world *world)
{
	struct forward forward = {.which = FORWARD_ALL,
	    .now_ms = delivery_now_ms,
	    .from_ms = delivery_now_ms};
	bool is_more;

	assert_int_equal(store_bring_forward(world->fixture->store,
			     world->destination, &forward, 3, &is_more),
	    STORE_OK);
}

/* ---- any of these ---- */

static void
step(struct world *world)
{
	uint32_t what = roll(world, 100);

	if (what < 25)
		capture(world);
	else if (what < 55)
		take(world);
	else if (what < 85 && world->hand_count > 0)
		settle(world, roll_outcome(world));
	else if (what < 93)
		interfere(world);
	else if (what < 95)
		come_back(world);
	else if (what < 97)
		crash(world);
	delivery_now_ms += roll(world, 20);
}

/* Delivers all there is: whatever is behind for ever is still there then. */
static void
drain(struct world *world)
{
	int64_t left_before = INT64_MAX, left;

	delivery_route(world->fixture, &world->destination, 1);
	for (;;) {
		delivery_now_ms += DAY_MS;
		do
			take(world);
		while (world->hand_count < HANDS_MAX && roll(world, 20) > 0);
		while (world->hand_count > 0)
			settle(world, OUTCOME_DELIVERED);
		left = fixture_query(
		    world->fixture->path, "SELECT pending FROM destinations");
		if (left == 0)
			break;
		if (left == left_before)
			fail_msg("%lld are pending for ever", (long long)left);
		left_before = left;
	}
	delivery_check(world->fixture);
}

static struct world *
world_new(struct fixture *fixture, uint32_t seed)
{
	struct world *world = calloc(1, sizeof *world);

	assert_non_null(world);
	world->fixture = fixture;
	world->random = seed;
	delivery_configure_ordered(fixture, &world->destination, "crm", NULL);
	return world;
}

static void
first_successes_of_a_ticket_come_in_order_whatever_happens(void **state)
{
	const char *seed = getenv("HOOKSPOOL_TEST_SEED");
	const char *steps = getenv("HOOKSPOOL_TEST_STEPS");
	struct world *world = world_new(*state,
	    seed != NULL ? (uint32_t)strtoul(seed, NULL, 10) : 20261123);
	long left = steps != NULL ? strtol(steps, NULL, 10) : 1000;

	for (; left > 0; left--) {
		step(world);
		delivery_check(world->fixture);
	}
	drain(world);
	free(world);
}

/* ---- a relay that is killed ---- */

#define KILLS      12
#define KILL_BATCH 8

/* What the child tells before each settle: the destination has had these. */
struct told {
	int64_t seqs[KILL_BATCH];
	int count;
};

/* Serves the destination until it is killed; never returns. */
static void
serve_until_killed(struct fixture *fixture, int64_t destination, int pipe_fd)
{
	struct due due[KILL_BATCH];
	struct settlement batch[KILL_BATCH];

	fixture->store = fixture_open(fixture->path, STORE_RELAY);
	for (;;) {
		struct told told = {.count = 0};
		int i;

		while (told.count < KILL_BATCH &&
		       store_read_due(fixture->store, destination,
			   delivery_now_ms, DAY_MS, told.seqs,
			   (size_t)told.count, &due[told.count]) == STORE_OK) {
			batch[told.count] = delivery_settlement(
			    &due[told.count], OUTCOME_DELIVERED);
			told.seqs[told.count] = due[told.count].seq;
			told.count++;
		}
		if (write(pipe_fd, &told, sizeof told) != sizeof told ||
		    told.count == 0)
			_exit(0);
		if (store_settle(fixture->store, batch, (size_t)told.count) !=
		    STORE_OK)
			_exit(1);
		for (i = 0; i < told.count; i++)
			store_free_due(&due[i]);
	}
}

/* Runs a relay, kills it after so many batches, and hears it out. */
static void
run_and_kill(struct world *world, int batches)
{
	struct fixture *fixture = world->fixture;
	struct told told;
	int fds[2], i;
	pid_t child;

	store_close(fixture->store); /* nobody forks with an open spool */
	fixture->store = NULL;
	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	child = fork();
	if (child == 0)
		serve_until_killed(fixture, world->destination, fds[1]);
	close(fds[1]);
	while (read(fds[0], &told, sizeof told) == sizeof told) {
		for (i = told.count - 1; i >= 0; i--) /* in any order */
			arrive(world, told.seqs[i]);
		if (batches-- == 0)
			assert_int_equal(kill(child, SIGKILL), 0);
	}
	close(fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	fixture->store = fixture_open(fixture->path, STORE_RELAY);
	delivery_check(fixture);
}

static void
kills_amid_settles_break_no_order_and_repeat_only_what_was_under_way(
    void **state)
{
	struct world *world = world_new(*state, 7);
	int i;

	for (i = 0; i < 600; i++)
		capture(world);
	delivery_route(world->fixture, &world->destination, 1);
	for (i = 0; i < KILLS; i++)
		run_and_kill(world, (int)roll(world, 12));
	assert_in_range(world->repeats, 0, KILLS * KILL_BATCH);
	run_and_kill(world, 1000000);
	for (i = 1; i <= world->event_count; i++)
		assert_true(world->is_there[i]);
	assert_in_range(world->repeats, 0, KILLS * KILL_BATCH);
	assert_int_equal(fixture_query(world->fixture->path,
			     "SELECT delivered FROM destinations"),
	    world->event_count);
	free(world);
}

/* ---- an operator who is killed ---- */

static bool
tell(void *arg, const struct change_counts *counts)
{
	(void)counts;
	return write(*(int *)arg, ".", 1) == 1;
}

/* Drops all and replays it, again and again; never returns. */
static void
change_until_killed(struct fixture *fixture, int pipe_fd)
{
	const struct list_filter all = {.limit = 0},
				 dropped = {.state = LIST_STATE_DROPPED};
	struct change_options options = {
	    .mode = CHANGE_MAKE, .progress = tell, .progress_arg = &pipe_fd};
	struct change_counts counts;

	fixture->store = fixture_open(fixture->path, STORE_RELAY);
	while (
	    store_drop(fixture->store, &all, &options, &counts) == STORE_OK &&
	    store_replay(fixture->store, &dropped, &options, &counts) ==
		STORE_OK)
		continue;
	_exit(1);
}

static void
change_and_kill(struct world *world, int steps)
{
	struct fixture *fixture = world->fixture;
	int fds[2];
	char byte;
	pid_t child;

	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	child = fork();
	if (child == 0)
		change_until_killed(fixture, fds[1]);
	close(fds[1]);
	while (read(fds[0], &byte, 1) == 1)
		if (steps-- == 0)
			assert_int_equal(kill(child, SIGKILL), 0);
	close(fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	fixture->store = fixture_open(fixture->path, STORE_RELAY);
	delivery_check(fixture);
}

/* What is dropped at the end is replayed after later ones of its lane were
 * made due: they need not wait for it. */
static void
exempt_dropped(struct world *world)
{
	char sql[96];
	int64_t seq;

	for (seq = 1; seq <= world->event_count; seq++) {
		snprintf(sql, sizeof sql,
		    "SELECT state = 3 FROM deliveries WHERE seq = %lld",
		    (long long)seq);
		world->is_exempt[seq] =
		    fixture_query(world->fixture->path, sql) == 1;
	}
}

static void
kills_amid_drops_and_replays_leave_every_lane_whole(void **state)
{
	struct world *world = world_new(*state, 11);
	const struct list_filter dropped = {.state = LIST_STATE_DROPPED};
	const struct change_options options = {.mode = CHANGE_MAKE};
	struct change_counts counts;
	int i;

	for (i = 0; i < 600; i++)
		capture(world);
	delivery_route(world->fixture, &world->destination, 1);
	for (i = 0; i < KILLS; i++)
		change_and_kill(world, (int)roll(world, 9));
	exempt_dropped(world);
	assert_int_equal(
	    store_replay(world->fixture->store, &dropped, &options, &counts),
	    STORE_OK);
	drain(world);
	assert_int_equal(fixture_query(world->fixture->path,
			     "SELECT delivered FROM destinations"),
	    world->event_count);
	free(world);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(first_successes_of_a_ticket_come_in_order_whatever_happens),
	    CASE(
		kills_amid_settles_break_no_order_and_repeat_only_what_was_under_way),
	    CASE(kills_amid_drops_and_replays_leave_every_lane_whole),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
