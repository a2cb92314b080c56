/*
 * What is left of the environment.
 */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "command/environment.h"

#define OUTPUT "CMOCKA_MESSAGE_OUTPUT" /* how cmocka is to report */

static int
keep_output(void **state)
{
	const char *output = getenv(OUTPUT);

	*state = xstrdup(output != NULL ? output : "STDOUT");
	return 0;
}

static int
restore_output(void **state)
{
	int status = setenv(OUTPUT, *state, 1);

	free(*state);
	return status;
}

static void
only_what_is_named_stays(void **state)
{
	static const char *const gone[] = {"SSLKEYLOGFILE", "OPENSSL_CONF",
	    "OPENSSL_MODULES", "OPENSSL_ENGINES", "SSL_CERT_FILE",
	    "SSL_CERT_DIR", "HOSTALIASES", "RES_OPTIONS", "LOCALDOMAIN",
	    "http_proxy", "https_proxy", "ALL_PROXY", "no_proxy",
	    "CURL_CA_BUNDLE", "CURL_HOME", "NETRC", "PATHS", "TZDIR", "LC",
	    "XLANG", "LD_LIBRARY_PATH", "anything"};
	static const char *const kept[] = {"HOOKSPOOL_CONF", "PATH", "TZ",
	    "LANG", "LC_ALL", "LC_CTYPE", "TERM", "TMPDIR"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof gone / sizeof gone[0]; i++)
		assert_int_equal(setenv(gone[i], "value", 1), 0);
	for (i = 0; i < sizeof kept / sizeof kept[0]; i++)
		assert_int_equal(setenv(kept[i], kept[i], 1), 0);
	environment_restrict();
	for (i = 0; i < sizeof gone / sizeof gone[0]; i++)
		assert_null(getenv(gone[i]));
	for (i = 0; i < sizeof kept / sizeof kept[0]; i++)
		assert_string_equal(getenv(kept[i]), kept[i]);
}

static void
an_environment_of_nothing_stays_so(void **state)
{
	(void)state;
	assert_int_equal(clearenv(), 0);
	environment_restrict();
	assert_null(getenv("PATH"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		only_what_is_named_stays, keep_output, restore_output),
	    cmocka_unit_test_setup_teardown(an_environment_of_nothing_stays_so,
		keep_output, restore_output),
	};

	return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
