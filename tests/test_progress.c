/*
 * Progress of long work: on a terminal only, after a second only, and the
 * stop that somebody asks for.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/progress.h"

static int64_t now_ms = 5000;

static int64_t
read_now(void)
{
	return now_ms;
}

static const struct clock clock_fake = {
    .wall_ms = read_now, .mono_ms = read_now};

/* Makes `fd` our standard error; what it was. */
static int
swap_stderr(int fd)
{
	int before = dup(STDERR_FILENO);

	assert_true(before >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	return before;
}

/* Three reports in the first second, two soon after it. */
static void
work(void)
{
	struct progress progress;
	int i;

	progress_begin(&progress, "deliveries");
	for (i = 1; i <= 5; i++) {
		assert_true(progress_show(&progress, i));
		now_ms += i < 4 ? 400 : 100;
	}
	progress_end(&progress);
}

static void
a_terminal_shows_it_after_a_second(void **state)
{
	char got[256] = "";
	size_t used = 0;
	int ours = posix_openpt(O_RDWR | O_NOCTTY), theirs, before;

	(void)state;
	if (ours < 0) {
		print_message("# no terminals here: is /dev/pts mounted?\n");
		skip();
	}
	assert_true(grantpt(ours) == 0 && unlockpt(ours) == 0);
	theirs = open(ptsname(ours), O_RDWR | O_NOCTTY);
	assert_true(theirs >= 0);
	before = swap_stderr(theirs);
	work();
	dup2(before, STDERR_FILENO);
	while (strchr(got, 'K') == NULL) { /* a terminal is slow */
		ssize_t len = read(ours, got + used, sizeof got - 1 - used);

		assert_true(len > 0);
		used += (size_t)len;
	}
	assert_string_equal(got, "\r4 deliveries ...\r\033[K");
	close(before);
	close(theirs);
	close(ours);
}

static void
a_pipe_gets_nothing(void **state)
{
	int ends[2], before;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	before = swap_stderr(ends[1]);
	work();
	dup2(before, STDERR_FILENO);
	assert_int_equal(read(ends[0], &byte, 1), -1);
	close(before);
	close(ends[0]);
	close(ends[1]);
}

static void
a_signal_asks_for_a_stop(void **state)
{
	struct progress progress;

	(void)state;
	signal(SIGINT, SIG_DFL); /* a shell ignores it in the background */
	progress_begin(&progress, "events");
	assert_true(progress_show(&progress, 1));
	assert_false(progress_is_stopped());
	raise(SIGINT);
	assert_true(progress_is_stopped());
	assert_false(progress_show(&progress, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_terminal_shows_it_after_a_second),
	    cmocka_unit_test(a_pipe_gets_nothing),
	    cmocka_unit_test(a_signal_asks_for_a_stop),
	};

	clock_source = &clock_fake;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
