/*
 * Making, opening and closing the spool; checkpoints; limits; recovery.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "spool_fixture.h"
#include "spool/spool.h"

static void
what_was_captured_is_there_with_equal_bytes_after_reopening(void **state)
{
	struct fixture *fixture = *state;
	char *body;

	assert_int_equal(fixture_store(fixture->store, "{\"a\": 1}"), 1);
	assert_int_equal(fixture_store(fixture->store, ""), 2);
	store_close(fixture->store);
	fixture->store = fixture_open(fixture->path, STORE_CAPTURE);
	assert_int_equal(fixture_store(fixture->store, "three"), 3);
	body = fixture_query_text(
	    fixture->path, "SELECT body FROM event WHERE seq = 1");
	assert_string_equal(body, "{\"a\": 1}");
	free(body);
	assert_int_equal(fixture_query(fixture->path,
			     "SELECT count(*) FROM event WHERE state = 'new' "
			     "AND typeof(body) = 'blob'"),
	    3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_was_captured_is_there_with_equal_bytes_after_reopening,
		fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
