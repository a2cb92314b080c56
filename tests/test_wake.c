/*
 * The relay's socket: waking it, and finding that there is none.
 */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "wake/wake.h"

/* A folder whose path is too long for a socket's address. */
static int
make_long_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *folder = xasprintf(
	    "%s/hookspool-test-%0100d-XXXXXX", tmp != NULL ? tmp : "/tmp", 0);

	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static int
make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *folder =
	    xasprintf("%s/hookspool-test-XXXXXX", tmp != NULL ? tmp : "/tmp");

	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static int
remove_folder(void **state)
{
	char *folder = *state;
	char *name = xasprintf("%s/" WAKE_SOCKET_NAME, folder);

	unlink(name);
	free(name);
	rmdir(folder);
	free(folder);
	return 0;
}

static void
who_listens_is_woken_and_who_does_not_is_reported(void **state)
{
	const char *folder = *state;
	bool asked[WAKE_REQUEST_COUNT] = {false};
	struct wake_socket end;

	assert_int_equal(wake_send(folder), WAKE_NOBODY);
	assert_true(wake_listen(folder, &end));
	assert_int_equal(wake_drain(end.fd, asked), 0);
	assert_int_equal(wake_send(folder), WAKE_SENT);
	assert_int_equal(wake_send(folder), WAKE_SENT);
	assert_int_equal(wake_drain(end.fd, asked), 2);
	wake_close(folder, &end);
	assert_int_equal(wake_send(folder), WAKE_NOBODY);
	wake_close(folder, &end);
}

static void
the_socket_of_a_dead_relay_is_nobody_and_is_replaced(void **state)
{
	const char *folder = *state;
	bool asked[WAKE_REQUEST_COUNT] = {false};
	struct wake_socket end;

	assert_true(wake_listen(folder, &end));
	close(end.fd);
	close(end.watch_fd);
	assert_int_equal(wake_send(folder), WAKE_NOBODY);
	assert_true(wake_listen(folder, &end));
	assert_int_equal(wake_send(folder), WAKE_SENT);
	assert_int_equal(wake_drain(end.fd, asked), 1);
	wake_close(folder, &end);
}

static void
a_relay_too_busy_to_read_is_alive(void **state)
{
	const char *folder = *state;
	bool asked[WAKE_REQUEST_COUNT] = {false};
	struct wake_socket end;
	int i;

	assert_true(wake_listen(folder, &end));
	for (i = 0; i < 2000; i++)
		assert_int_equal(wake_send(folder), WAKE_SENT);
	assert_int_equal(wake_ask(folder, WAKE_RELOAD), WAKE_FAILED);
	assert_int_equal(errno, EAGAIN);
	assert_in_range(wake_drain(end.fd, asked), 1, 2000);
	assert_int_equal(wake_drain(end.fd, asked), 0);
	assert_false(asked[WAKE_RELOAD]);
	wake_close(folder, &end);
}

static void
a_reload_is_told_from_a_wake_up(void **state)
{
	const char *folder = *state;
	bool asked[WAKE_REQUEST_COUNT] = {false};
	struct wake_socket end;

	assert_int_equal(wake_ask(folder, WAKE_RELOAD), WAKE_NOBODY);
	assert_true(wake_listen(folder, &end));
	assert_int_equal(wake_send(folder), WAKE_SENT);
	assert_int_equal(wake_drain(end.fd, asked), 1);
	assert_false(asked[WAKE_RELOAD]);
	assert_false(asked[WAKE_LOOK]);
	assert_int_equal(wake_ask(folder, WAKE_LOOK), WAKE_SENT);
	assert_int_equal(wake_drain(end.fd, asked), 1);
	assert_true(asked[WAKE_LOOK]);
	assert_false(asked[WAKE_RELOAD]);
	assert_int_equal(wake_send(folder), WAKE_SENT);
	assert_int_equal(wake_ask(folder, WAKE_RELOAD), WAKE_SENT);
	assert_int_equal(wake_send(folder), WAKE_SENT);
	assert_int_equal(wake_drain(end.fd, asked), 3);
	assert_true(asked[WAKE_RELOAD]);
	assert_int_equal(wake_drain(end.fd, asked), 0);
	assert_true(asked[WAKE_RELOAD]);
	wake_close(folder, &end);
}

static void
the_socket_is_open_to_the_group_whatever_the_umask(void **state)
{
	const char *folder = *state;
	char *name = xasprintf("%s/" WAKE_SOCKET_NAME, folder);
	mode_t old = umask(0077);
	struct wake_socket end;
	struct stat socket;
	bool is_made = wake_listen(folder, &end);

	umask(old);
	assert_true(is_made);
	assert_int_equal(stat(name, &socket), 0);
	assert_int_equal(socket.st_mode & 07777, 0660);
	wake_close(folder, &end);
	free(name);
}

/* In each of the ways; what else happens in the folder loses nothing. */
static void
a_socket_that_is_taken_away_is_found_lost(void **state)
{
	const char *folder = *state;
	char *name = xasprintf("%s/" WAKE_SOCKET_NAME, folder);
	char *other = xasprintf("%s/other", folder);
	struct wake_socket end;
	int way;

	for (way = 0; way < 3; way++) {
		assert_true(wake_listen(folder, &end));
		wake_is_touched(&end);
		close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		assert_false(wake_is_touched(&end));
		assert_false(wake_is_lost(folder, &end));
		if (way == 0)
			assert_int_equal(unlink(name), 0);
		else if (way == 1)
			assert_int_equal(rename(name, other), 0);
		else
			assert_int_equal(rename(other, name), 0);
		assert_true(wake_is_touched(&end));
		assert_false(wake_is_touched(&end));
		assert_true(wake_is_lost(folder, &end));
		wake_close(folder, &end);
	}
	assert_true(wake_is_lost(folder, &end));
	unlink(other);
	free(other);
	free(name);
}

static void
a_folder_that_is_not_there_is_a_failure(void **state)
{
	const char *folder = *state;
	char *name = xasprintf("%s/missing", folder);
	struct wake_socket end;

	assert_int_equal(wake_send(name), WAKE_FAILED);
	assert_int_equal(errno, ENOENT);
	assert_false(wake_listen(name, &end));
	assert_int_equal(errno, ENOENT);
	free(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    {"who listens is woken by a long path",
		who_listens_is_woken_and_who_does_not_is_reported,
		make_long_folder, remove_folder, NULL},
	    cmocka_unit_test_setup_teardown(
		who_listens_is_woken_and_who_does_not_is_reported, make_folder,
		remove_folder),
	    cmocka_unit_test_setup_teardown(
		the_socket_of_a_dead_relay_is_nobody_and_is_replaced,
		make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_relay_too_busy_to_read_is_alive, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_reload_is_told_from_a_wake_up, make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		the_socket_is_open_to_the_group_whatever_the_umask, make_folder,
		remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_socket_that_is_taken_away_is_found_lost, make_folder,
		remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_folder_that_is_not_there_is_a_failure, make_folder,
		remove_folder),
	};

	return cmocka_run_group_tests_name("wake", tests, NULL, NULL);
}
