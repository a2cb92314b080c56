/*
 * Transactions of the store: one failure is remembered, and arguments keep
 * their values.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "delivery_fixture.h"
#include "spool/store_internal.h"
#include "spool/tx.h"

static const char insert_sql[] =
    "INSERT INTO destinations (id, name, is_configured, is_ordered) "
    "VALUES (?1, ?2, 1, 0)";
static const char count_sql[] = "SELECT count(*) FROM destinations";

static void
after_a_failure_nothing_is_run_and_all_is_rolled_back(void **state)
{
	struct fixture *fixture = *state;
	struct tx tx = tx_begin(fixture->store);
	int64_t seen = -1;

	assert_int_equal(tx_run(&tx, insert_sql, 1, "crm"), 1);
	assert_int_equal(tx_run(&tx, insert_sql, 1, "twice"), 0);
	assert_int_equal(tx_run(&tx, insert_sql, 2, "bi"), 0);
	assert_false(tx_get(&tx, count_sql, &seen));
	tx_say(&tx, STORE_GONE, "not the first failure");
	assert_int_equal(seen, -1);
	assert_int_equal(tx_end(&tx), STORE_FAILED);
	assert_non_null(strstr(store_why(fixture->store), "UNIQUE"));
	assert_int_equal(fixture_query(fixture->path, count_sql), 0);
}

static void
the_lock_is_free_after_either_end(void **state)
{
	struct fixture *fixture = *state;
	struct tx tx = tx_begin(fixture->store);

	tx_fail(&tx, STORE_GONE);
	assert_int_equal(tx_end(&tx), STORE_GONE);
	tx = tx_begin(fixture->store);
	tx_run(&tx, insert_sql, 1, "crm");
	assert_int_equal(tx_end(&tx), STORE_OK);
	tx = tx_begin(fixture->store);
	assert_int_equal(tx_end(&tx), STORE_OK);
	assert_int_equal(fixture_query(fixture->path, count_sql), 1);
}

static void
no_row_is_not_a_failure(void **state)
{
	struct fixture *fixture = *state;
	struct tx tx = tx_begin_read(fixture->store);
	int64_t id = 7;

	assert_false(tx_get(
	    &tx, "SELECT id FROM destinations WHERE name = ?1", "none", &id));
	assert_int_equal(id, 7);
	assert_int_equal(tx_end(&tx), STORE_OK);
	assert_int_not_equal(sqlite3_get_autocommit(fixture->store->db), 0);
}

static void
integers_of_each_type_keep_their_values(void **state)
{
	struct fixture *fixture = *state;
	struct tx tx = tx_none(fixture->store);
	enum outcome outcome = OUTCOME_ABANDONED;
	int64_t wide = INT64_MIN, wide_to = 0;
	int small = -3, small_to = 0;
	size_t size = 5;
	bool is_so = true, is_so_to = false;
	enum outcome outcome_to = OUTCOME_RETRY;

	assert_true(tx_get(&tx, "SELECT ?1, ?2, ?3, ?4 WHERE ?5 = 5", wide,
	    small, is_so, outcome, size, &wide_to, &small_to, &is_so_to,
	    &outcome_to));
	assert_true(wide_to == INT64_MIN);
	assert_int_equal(small_to, -3);
	assert_true(is_so_to);
	assert_int_equal(outcome_to, OUTCOME_ABANDONED);
	assert_int_equal(tx_end(&tx), STORE_OK);
}

static void
null_and_bytes_go_in_and_come_out(void **state)
{
	struct fixture *fixture = *state;
	struct tx tx = tx_none(fixture->store);
	const char *none = NULL;
	char *text = NULL, *null = (char *)&tx, *blob = NULL, buffer[4];
	int64_t number = 0;
	size_t len = 0;

	assert_true(tx_get(&tx, "SELECT ?1, ?2, ?3, ?4, ?5", "long", none,
	    sql_blob("a\0b", 3), sql_null(), "long", &text, &null,
	    sql_blob_to(&blob, &len), sql_int_or(&number, -1),
	    sql_text_to(buffer, sizeof buffer)));
	assert_string_equal(text, "long");
	assert_null(null);
	assert_int_equal(len, 3);
	assert_memory_equal(blob, "a\0b", 3);
	assert_true(number == -1);
	assert_string_equal(buffer, "lon");
	free(text);
	free(blob);
	assert_int_equal(tx_end(&tx), STORE_OK);
}

static void
rows_that_are_left_early_leave_no_statement_open(void **state)
{
	struct fixture *fixture = *state;
	struct tx tx = tx_none(fixture->store);
	const char *text = NULL;
	int64_t number = 0;
	sqlite3_stmt *any;

	tx_ask(&tx, "SELECT 1, 'a' UNION SELECT 2, 'b'");
	assert_true(tx_next(&tx, &number, &text));
	assert_string_equal(text, "a");
	assert_int_equal(tx_end(&tx), STORE_OK);
	for (any = sqlite3_next_stmt(fixture->store->db, NULL); any != NULL;
	     any = sqlite3_next_stmt(fixture->store->db, any))
		assert_int_equal(sqlite3_stmt_busy(any), 0);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(                                       \
	    function, delivery_setup, delivery_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(after_a_failure_nothing_is_run_and_all_is_rolled_back),
	    CASE(the_lock_is_free_after_either_end),
	    CASE(no_row_is_not_a_failure),
	    CASE(integers_of_each_type_keep_their_values),
	    CASE(null_and_bytes_go_in_and_come_out),
	    CASE(rows_that_are_left_early_leave_no_statement_open),
	};

	return cmocka_run_group_tests_name("tx", tests, NULL, NULL);
}
