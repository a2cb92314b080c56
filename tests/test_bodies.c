/*
 * The bodies in memory: each once, within a budget, and never none for who
 * has none.
 */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "delivery_fixture.h"
#include "relay/bodies.h"

#define BODY_BYTES 7 /* of each event of the fixture */

/* A budget for two of three events. */
struct site {
	struct bodies bodies;
	struct due due[3];
};

static struct site
make_site(struct fixture *fixture)
{
	struct site site = {.bodies = {.budget_bytes = 2 * BODY_BYTES}};
	int i;

	for (i = 0; i < 3; i++)
		site.due[i] = (struct due){
		    .seq = fixture_store(fixture->store, "{\"a\":1}"),
		    .body_bytes = BODY_BYTES};
	return site;
}

static struct body *
take(struct fixture *fixture, struct site *site, int which, bool is_owed)
{
	struct body *body = NULL;

	assert_int_equal(bodies_take(&site->bodies, fixture->store,
			     &site->due[which], is_owed, &body),
	    STORE_OK);
	return body;
}

static void
a_body_that_goes_to_several_is_there_once(void **state)
{
	struct fixture *fixture = *state;
	struct site site = make_site(fixture);
	struct body *first = take(fixture, &site, 0, false);

	assert_memory_equal(first->bytes, "{\"a\":1}", BODY_BYTES);
	assert_int_equal(first->len, BODY_BYTES);
	assert_ptr_equal(take(fixture, &site, 0, false), first);
	assert_int_equal(site.bodies.held_bytes, BODY_BYTES);
	bodies_drop(first);
	assert_int_equal(site.bodies.held_bytes, BODY_BYTES);
	assert_false(site.bodies.is_freed);
	bodies_drop(first);
	assert_int_equal(site.bodies.held_bytes, 0);
	assert_true(site.bodies.is_freed);
	bodies_drop(NULL);
}

static void
what_is_beyond_the_budget_waits_until_a_body_is_freed(void **state)
{
	struct fixture *fixture = *state;
	struct site site = make_site(fixture);
	struct body *first = take(fixture, &site, 0, false);
	struct body *second = take(fixture, &site, 1, false), *third;

	assert_null(take(fixture, &site, 2, false));
	/* One that is there already costs nothing. */
	assert_ptr_equal(take(fixture, &site, 1, false), second);
	bodies_drop(second);
	assert_null(take(fixture, &site, 2, false));
	bodies_drop(first);
	assert_true(site.bodies.is_freed);
	third = take(fixture, &site, 2, false);
	assert_non_null(third);
	bodies_drop(second);
	bodies_drop(third);
	assert_int_equal(site.bodies.held_bytes, 0);
}

static void
one_that_is_owed_is_given_beyond_the_budget(void **state)
{
	struct fixture *fixture = *state;
	struct site site = make_site(fixture);
	struct body *first, *second, *third;

	site.bodies.budget_bytes = 1;
	assert_null(take(fixture, &site, 0, false));
	first = take(fixture, &site, 0, true);
	second = take(fixture, &site, 1, true);
	assert_non_null(first);
	assert_non_null(second);
	assert_null(take(fixture, &site, 2, false));
	bodies_drop(first);
	assert_null(take(fixture, &site, 2, false));
	bodies_drop(second);
	third = take(fixture, &site, 2, true);
	assert_non_null(third);
	bodies_drop(third);
	assert_int_equal(site.bodies.held_bytes, 0);
}

static void
the_body_of_an_erased_event_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct site site = make_site(fixture);
	struct body *body = NULL;

	site.due[0].seq += 100;
	assert_int_equal(bodies_take(&site.bodies, fixture->store, &site.due[0],
			     true, &body),
	    STORE_GONE);
	assert_null(body);
	assert_int_equal(site.bodies.held_bytes, 0);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_body_that_goes_to_several_is_there_once),
	    CASE(what_is_beyond_the_budget_waits_until_a_body_is_freed),
	    CASE(one_that_is_owed_is_given_beyond_the_budget),
	    CASE(the_body_of_an_erased_event_is_gone),
	};

	return cmocka_run_group_tests_name("bodies", tests, NULL, NULL);
}
