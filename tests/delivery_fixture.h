/*
 * Events on their way to destinations, for the tests of src/spool: a spool, a
 * clock that stands still, and each arrow in one call that fails the test
 * where it fails.
 */
#ifndef HOOKSPOOL_TESTS_DELIVERY_FIXTURE_H
#define HOOKSPOOL_TESTS_DELIVERY_FIXTURE_H

#include "spool_fixture.h"

/* The spool's time; BEGIN_MS at the start of each test. */
#define BEGIN_MS INT64_C(1700000000000)
#define HOUR_MS  INT64_C(3600000)
#define DAY_MS   (24 * HOUR_MS)
extern int64_t delivery_now_ms;

/* How far the wall clock was set from it; 0 at the start. */
extern int64_t delivery_step_ms;

/* As fixture_setup and fixture_teardown, with the clock replaced. */
int delivery_setup(void **state);
int delivery_teardown(void **state);

/* Configures these destinations (NULL ends them); `ids` gets their numbers. */
void delivery_configure(
    struct fixture *fixture, int64_t *ids, const char *first, ...);

/* The same with order = ticket. */
void delivery_configure_ordered(
    struct fixture *fixture, int64_t *ids, const char *first, ...);

/* Captures one event now; NULL: absent. Returns its seq. */
int64_t delivery_put(struct fixture *fixture, const char *community,
    const char *type, const char *ticket);

/* One of a conversation that has no ticket. */
int64_t delivery_put_conversation(
    struct fixture *fixture, const char *community, const char *conversation);

/* The id of an event; the caller frees it. */
char *delivery_id(struct fixture *fixture, int64_t seq);

/* Routes all events that are new to these destinations. */
void delivery_route(
    struct fixture *fixture, const int64_t *destinations, size_t count);

/* Takes the next one that is due; the caller frees it. */
struct due delivery_take(struct fixture *fixture, int64_t destination);

/* A settlement of it, begun now, that took 5 ms. */
struct settlement delivery_settlement(
    const struct due *due, enum outcome outcome);

/* Takes the next one and settles it. Returns its seq. */
int64_t delivery_settle(
    struct fixture *fixture, int64_t destination, enum outcome outcome);

/* Configures crm and bi, and puts three events an hour apart: 1 (ticket_a, X,
 * ticket 11) delivered to crm and dead at bi, 2 (ticket_b, ticket 22) pending
 * at both, 3 (note_a, Y) new. */
void delivery_fill(struct fixture *fixture, int64_t *ids);

/* Runs SQL that is not ours to offer, by a connection of its own. */
void delivery_exec(struct fixture *fixture, const char *sql);

/* Fails unless every counter is what counting gives, `settled` has those
 * events of which nothing is pending, and of each lane the first delivery that
 * is pending has a time: nothing is behind for ever. */
void delivery_check(struct fixture *fixture);

#endif
