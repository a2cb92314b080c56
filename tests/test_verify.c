/*
 * Units of src/endpoint/verify and src/base/secret: every row of the contract
 * for the verification request.
 */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "endpoint/verify.h"

static char first_token[] = "s3cret", second_token[] = "two words&=%\xC3\xA9";
static char *token_items[] = {first_token, second_token};
static const struct text_list tokens = {token_items, 2};

struct row {
	const char *query;
	const char *expected; /* 200: the challenge; else the reason */
};

/* Judges a copy that ends where its memory ends. The caller frees the
 * challenge. */
static struct verification
judge(const char *query, size_t len, const struct text_list *known)
{
	struct verification out;
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, query, len);
	verify_query(copy, len, known, &out);
	free(copy);
	return out;
}

static void
assert_verdict(const struct row *row, int status)
{
	struct verification out =
	    judge(row->query, strlen(row->query), &tokens);
	const char *got =
	    out.status == 200 ? buf_text(&out.challenge) : out.why;

	if (out.status != status || strcmp(got, row->expected) != 0)
		fail_msg("%s: %d %s", row->query, out.status, got);
	assert_true((out.status == 200) == (out.why == NULL));
	if (out.status != 200)
		assert_int_equal(out.challenge.len, 0);
	buf_free(&out.challenge);
}

#define check_rows(rows, status)                                               \
	do {                                                                   \
		size_t i_;                                                     \
		for (i_ = 0; i_ < sizeof(rows) / sizeof(rows)[0]; i_++)        \
			assert_verdict(&(rows)[i_], status);                   \
	} while (0)

static void
the_right_token_gets_the_challenge_decoded(void **state)
{
	static const struct row rows[] = {
	    {"challenge=2135675231&verifyToken=s3cret", "2135675231"},
	    {"verifyToken=s3cret&challenge=2135675231", "2135675231"},
	    {"challenge=a+b%20c%2Bd&verifyToken=s3cret", "a b c+d"},
	    {"challenge=%41%62%c3%A9&verifyToken=s3cret", "Ab\xC3\xA9"},
	    {"challenge=\xC3\xA9\xFF&verifyToken=s3cret", "\xC3\xA9\xFF"},
	    {"challenge=a%26b%3dc%25&verifyToken=s3cret", "a&b=c%"},
	    {"challenge=a=b==&verifyToken=s3cret", "a=b=="},
	    {"challenge=<b>%22'&verifyToken=s3cret", "<b>\"'"},
	    {"challenge=a;b/?c#&verifyToken=s3cret", "a;b/?c#"},
	    {"challenge=+&verifyToken=s3cret", " "},
	    {"challenge=1&verifyToken=%733cre%74", "1"},
	    {"challenge=1&verifyToken=two+words%26%3D%25%C3%A9", "1"},
	    {"challenge=1&verifyToken=two%20words%26=%25\xC3\xA9", "1"},
	    {"%63hallenge=1&verify%54oken=s3cret", "1"},
	    {"&&challenge=1&&verifyToken=s3cret&", "1"},
	};

	(void)state;
	check_rows(rows, 200);
}

static void
other_parameters_are_ignored(void **state)
{
	static const struct row rows[] = {
	    {"a=b&challenge=1&c&verifyToken=s3cret&d=", "1"},
	    {"Challenge=2&challenge=1&verifytoken=x&verifyToken=s3cret", "1"},
	    {"challenges=2&challeng=3&challenge=1&verifyToken=s3cret", "1"},
	    {"challenge%00=2&challenge=1&verifyToken=s3cret", "1"},
	    {"+challenge=2&challenge=1&verifyToken=s3cret", "1"},
	    {"=2&=&challenge=1&verifyToken=s3cret", "1"},
	    {"a=%00%0a&challenge=1&verifyToken=s3cret", "1"},
	    {"a=challenge=2&challenge=1&verifyToken=s3cret", "1"},
	    {"hub.challenge=2&challenge=1&verifyToken=s3cret", "1"},
	    {"challenge[]=2&challenge=1&verifyToken=s3cret", "1"},
	};

	(void)state;
	check_rows(rows, 200);
}

static void
a_missing_empty_or_repeated_parameter_is_refused(void **state)
{
	static const struct row rows[] = {
	    {"", "challenge is missing"},
	    {"&", "challenge is missing"},
	    {"x", "challenge is missing"},
	    {"verifyToken=s3cret", "challenge is missing"},
	    {"challenge=1", "verifyToken is missing"},
	    {"challenge=1&amp;verifyToken=s3cret", "verifyToken is missing"},
	    {"challenge=1;verifyToken=s3cret", "verifyToken is missing"},
	    {"challenge=1%26verifyToken=s3cret", "verifyToken is missing"},
	    {"challenge%3D1&verifyToken=s3cret", "challenge is missing"},
	    {"?challenge=1&verifyToken=s3cret", "challenge is missing"},
	    {"CHALLENGE=1&VERIFYTOKEN=s3cret", "challenge is missing"},
	    {"challenge=&verifyToken=s3cret", "challenge is empty"},
	    {"challenge&verifyToken=s3cret", "challenge is empty"},
	    {"challenge=1&verifyToken=", "verifyToken is empty"},
	    {"challenge=1&verifyToken", "verifyToken is empty"},
	    {"challenge=1&challenge=1&verifyToken=s3cret",
		"challenge is given more than once"},
	    {"challenge=1&challenge&verifyToken=s3cret",
		"challenge is given more than once"},
	    {"challenge=1&%63hallenge=2&verifyToken=s3cret",
		"challenge is given more than once"},
	    {"challenge=1&verifyToken=s3cret&verifyToken=s3cret",
		"verifyToken is given more than once"},
	    {"challenge=1&verifyToken=s3cret&verify%54oken=x",
		"verifyToken is given more than once"},
	};

	(void)state;
	check_rows(rows, 400);
}

static void
a_bad_percent_escape_anywhere_is_refused(void **state)
{
	static const char why[] =
	    "a percent sign in the query is not followed by two hexadecimal "
	    "digits";
	static const struct row rows[] = {
	    {"challenge=%&verifyToken=s3cret", why},
	    {"challenge=%4&verifyToken=s3cret", why},
	    {"challenge=%4g&verifyToken=s3cret", why},
	    {"challenge=%g4&verifyToken=s3cret", why},
	    {"challenge=%u0041&verifyToken=s3cret", why},
	    {"challenge=%%41&verifyToken=s3cret", why},
	    {"challenge=%+1&verifyToken=s3cret", why},
	    {"challenge=%-1&verifyToken=s3cret", why},
	    {"challenge=100%&verifyToken=s3cret", why},
	    {"challenge=1&verifyToken=s3cret%", why},
	    {"challenge=1&verifyToken=s3cret%2", why},
	    {"a=%zz&challenge=1&verifyToken=s3cret", why},
	    {"%zz=a&challenge=1&verifyToken=s3cret", why},
	    {"challenge=1&verifyToken=s3cret&%", why},
	    {"%", why},
	};

	(void)state;
	check_rows(rows, 400);
}

static void
a_control_character_in_the_challenge_is_refused(void **state)
{
	static const char why[] = "challenge has a control character";
	char query[64];
	struct row row = {query, why};
	int byte;

	(void)state;
	for (byte = 0; byte < 256; byte++) {
		snprintf(query, sizeof query,
		    "challenge=a%%%02xb&verifyToken=s3cret", byte);
		if (byte < 0x20 || byte == 0x7f) {
			assert_verdict(&row, 400);
		} else {
			char challenge[] = {'a', (char)byte, 'b', '\0'};

			assert_verdict(&(struct row){query, challenge}, 200);
		}
	}
	assert_verdict(
	    &(struct row){"challenge=a\tb&verifyToken=s3cret", why}, 400);
	assert_verdict(
	    &(struct row){"challenge=%0d%0aX:+y&verifyToken=s3cret", why}, 400);
}

static void
a_raw_nul_ends_nothing(void **state)
{
	static const char query[] = "challenge=1\0&verifyToken=s3cret";
	static const char token[] = "challenge=1&verifyToken=s3cret\0";
	struct verification out;

	(void)state;
	out = judge(query, sizeof query - 1, &tokens);
	assert_int_equal(out.status, 400);
	out = judge(token, sizeof token - 1, &tokens);
	assert_int_equal(out.status, 403);
}

static void
a_challenge_of_1024_bytes_is_the_longest(void **state)
{
	static const char tail[] = "&verifyToken=s3cret";
	char query[4096] = "challenge=";
	struct verification out;
	size_t i;

	(void)state;
	memset(query + 10, 'x', 1024);
	memcpy(query + 10 + 1024, tail, sizeof tail);
	out = judge(query, strlen(query), &tokens);
	assert_int_equal(out.status, 200);
	assert_int_equal(out.challenge.len, 1024);
	assert_memory_equal(out.challenge.data, query + 10, 1024);
	buf_free(&out.challenge);

	memset(query + 10, 'x', 1025);
	memcpy(query + 10 + 1025, tail, sizeof tail);
	assert_verdict(
	    &(struct row){query, "challenge is longer than 1,024 bytes"}, 400);

	for (i = 0; i < 1024; i++)
		memcpy(query + 10 + 3 * i, "%C3", 3);
	memcpy(query + 10 + 3 * i, tail, sizeof tail);
	out = judge(query, strlen(query), &tokens);
	assert_int_equal(out.status, 200);
	assert_int_equal(out.challenge.len, 1024);
	buf_free(&out.challenge);
}

static void
another_token_is_refused(void **state)
{
	static const char why[] = "verifyToken is not a configured token";
	static const struct row rows[] = {
	    {"challenge=1&verifyToken=wrong", why},
	    {"challenge=1&verifyToken=s3cre", why},
	    {"challenge=1&verifyToken=s3crets", why},
	    {"challenge=1&verifyToken=S3CRET", why},
	    {"challenge=1&verifyToken=s3crets3cret", why},
	    {"challenge=1&verifyToken=s3cret+", why},
	    {"challenge=1&verifyToken=s3cret%00", why},
	    {"challenge=1&verifyToken=%00", why},
	    {"challenge=1&verifyToken=two", why},
	    {"challenge=1&verifyToken=s3cret,two+words", why},
	};
	struct verification out;

	(void)state;
	check_rows(rows, 403);
	out = judge(rows[0].query, strlen(rows[0].query),
	    &(const struct text_list){NULL, 0});
	assert_int_equal(out.status, 403);
}

static void
the_syntax_is_judged_before_the_token(void **state)
{
	static const struct row rows[] = {
	    {"challenge=&verifyToken=wrong", "challenge is empty"},
	    {"challenge=%01&verifyToken=wrong",
		"challenge has a control character"},
	    {"challenge=1&challenge=1&verifyToken=wrong",
		"challenge is given more than once"},
	};

	(void)state;
	check_rows(rows, 400);
}

static void
no_query_at_all_is_refused(void **state)
{
	struct verification out;

	(void)state;
	verify_query(NULL, 0, &tokens, &out);
	assert_int_equal(out.status, 400);
	assert_string_equal(out.why, "challenge is missing");
	buf_free(&out.challenge);
}

static void
a_secret_equals_itself_alone(void **state)
{
	(void)state;
	assert_true(secret_equal("abc", 3, "abc"));
	assert_true(secret_equal("abcd", 3, "abc"));
	assert_false(secret_equal("abd", 3, "abc"));
	assert_false(secret_equal("bbc", 3, "abc"));
	assert_false(secret_equal("ab", 2, "abc"));
	assert_false(secret_equal("abca", 4, "abc"));
	assert_false(secret_equal("abcabc", 6, "abc"));
	assert_false(secret_equal("abc\0", 4, "abc"));
	assert_false(secret_equal("a", 1, "aaaa"));
	assert_false(secret_equal("aaaa", 4, "a"));
	assert_false(secret_equal("", 0, "abc"));
	assert_false(secret_equal("abc", 3, ""));
	assert_false(secret_equal("", 0, ""));
	assert_false(secret_equal(NULL, 0, "abc"));
	assert_true(secret_equal("\xFF\x80", 2, "\xFF\x80"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_right_token_gets_the_challenge_decoded),
	    cmocka_unit_test(other_parameters_are_ignored),
	    cmocka_unit_test(a_missing_empty_or_repeated_parameter_is_refused),
	    cmocka_unit_test(a_bad_percent_escape_anywhere_is_refused),
	    cmocka_unit_test(a_control_character_in_the_challenge_is_refused),
	    cmocka_unit_test(a_raw_nul_ends_nothing),
	    cmocka_unit_test(a_challenge_of_1024_bytes_is_the_longest),
	    cmocka_unit_test(another_token_is_refused),
	    cmocka_unit_test(the_syntax_is_judged_before_the_token),
	    cmocka_unit_test(no_query_at_all_is_refused),
	    cmocka_unit_test(a_secret_equals_itself_alone),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
