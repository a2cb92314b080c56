/*
 * Units of base/log and base/outlet: a log that is not read, or cannot be
 * written, holds nobody up, and the lines that it cost are counted.
 */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/outlet.h"

#define LINES       3000 /* more than a pipe or a socket takes */
#define SOON_MS     2000 /* for all of them */
#define NOBODY      65534
#define TEXT_BYTES  (1 << 20)
#define SMALL_BYTES 100

static char folder[] = "/tmp/hookspool-log-XXXXXX";
static char text[TEXT_BYTES];

static const char *
path_of(const char *name)
{
	static char path[sizeof folder + 32];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

/* Standard error becomes `fd`, which is closed; returns the one before. */
static int
swap_stderr(int fd)
{
	int saved = dup(STDERR_FILENO);

	assert_true(saved >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
	return saved;
}

static void
restore_stderr(int saved)
{
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
}

/* All that can be read now, as a string. */
static void
read_all(int fd)
{
	size_t len = 0;
	ssize_t got;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while ((got = read(fd, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
}

static void
read_file(const char *name)
{
	int fd = open(path_of(name), O_RDONLY);

	read_all(fd);
	close(fd);
}

static size_t
count_of(const char *part)
{
	const char *at = text;
	size_t count = 0;

	while ((at = strstr(at, part)) != NULL) {
		at += strlen(part);
		count++;
	}
	return count;
}

/* The number that the log says was dropped. */
static size_t
dropped(void)
{
	const char *at = strstr(text, "log lines were dropped count=");

	return at != NULL ? strtoul(strchr(at, '=') + 1, NULL, 10) : 0;
}

/* They are shorter than the line that counts what was dropped: where one of
 * them finds no room any more, neither does that one. */
static void
log_many(void)
{
	int64_t began_ms = clock_mono_ms();
	int i;

	for (i = 0; i < LINES; i++)
		log_note(
		    LOG_LEVEL_INFO, "one of many", LOG_TEXT("filler", "abc"));
	assert_true(clock_mono_ms() - began_ms < SOON_MS);
}

/* Logs more than the other end takes, and once more when it was read. */
static void
overflow_and_recover(int reader)
{
	size_t written;

	log_many();
	read_all(reader);
	written = count_of("one of many");
	assert_in_range(written, 1, LINES - 1);
	assert_int_equal(dropped(), 0);
	log_plain(LOG_LEVEL_INFO, "it is read again");
	read_all(reader);
	assert_int_equal(dropped(), LINES - written);
	assert_int_equal(count_of("it is read again"), 1);
	log_plain(LOG_LEVEL_INFO, "once more");
	read_all(reader);
	assert_int_equal(dropped(), 0);
	assert_int_equal(count_of("once more"), 1);
}

static void
a_pipe_that_is_not_read_costs_lines_and_no_time(void **state)
{
	int ends[2], saved;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	saved = swap_stderr(ends[1]);
	log_open("test", LOG_TARGET_STDERR, NULL, LOG_FORMAT_TEXT);
	overflow_and_recover(ends[0]);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	restore_stderr(saved);
	close(ends[0]);
}

/* As standard error is for a process that root gave a pipe. */
static void
log_to_a_pipe_of_somebody_else(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fchmod(ends[1], 0), 0);
	if (geteuid() == 0)
		assert_int_equal(setuid(NOBODY), 0);
	swap_stderr(ends[1]);
	assert_int_equal(open("/proc/self/fd/2", O_WRONLY), -1);
	log_open("test", LOG_TARGET_STDERR, NULL, LOG_FORMAT_TEXT);
	overflow_and_recover(ends[0]);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

static void
a_pipe_of_another_user_that_is_not_read_costs_no_time_either(void **state)
{
	pid_t child;
	int status;

	(void)state;
	child = fork();
	if (child == 0) {
		log_to_a_pipe_of_somebody_else();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
a_socket_that_is_not_read_costs_lines_and_no_time(void **state)
{
	int ends[2], saved;

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	saved = swap_stderr(ends[1]);
	log_open("test", LOG_TARGET_STDERR, NULL, LOG_FORMAT_TEXT);
	overflow_and_recover(ends[0]);
	restore_stderr(saved);
	close(ends[0]);
}

/* A line that comes while the reader is a moment late is not lost. */
static void
a_reader_that_is_a_moment_late_loses_nothing(void **state)
{
	int ends[2], saved;
	char scrap[4096];
	pid_t reader;
	size_t i;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	reader = fork();
	if (reader == 0) {
		close(ends[1]);
		while (read(ends[0], scrap, sizeof scrap) > 0)
			continue;
		_exit(0);
	}
	close(ends[0]);
	saved = swap_stderr(ends[1]);
	log_open("test", LOG_TARGET_STDERR, NULL, LOG_FORMAT_TEXT);
	for (i = 0; i < 10; i++)
		log_many();
	restore_stderr(saved);
	log_open("test", LOG_TARGET_FILE, path_of("gap"), LOG_FORMAT_TEXT);
	log_plain(LOG_LEVEL_INFO, "after it");
	read_file("gap");
	assert_int_equal(dropped(), 0);
	assert_int_equal(count_of("after it"), 1);
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
	assert_int_equal(waitpid(reader, NULL, 0), reader);
}

/* A socket such as the daemon's, at a path of ours. */
static int
listen_as_syslog(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path_of(name));
	unlink(at.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

static void
a_line_to_syslog_is_what_syslog_daemons_read(void **state)
{
	char want[64];
	int fd = listen_as_syslog("log");

	(void)state;
	log_open("hookspool", LOG_TARGET_SYSLOG, NULL, LOG_FORMAT_TEXT);
	log_note(LOG_LEVEL_WARN, "said", LOG_NUMBER("n", 3));
	read_all(fd);
	/* daemon (3) and warning (4); then `Nov  4 15:04:05 `. */
	assert_memory_equal(text, "<28>", 4);
	assert_int_equal(strspn(text + 4, "ADFJMNOSabceglnoprtuvy"), 3);
	assert_int_equal(strspn(text + 7, " 0123456789:"), 13);
	snprintf(want, sizeof want, "hookspool[%ld]: warning: said n=3",
	    (long)getpid());
	assert_string_equal(text + 20, want);
	close(fd);
}

static void
a_stalled_syslog_costs_lines_and_no_time(void **state)
{
	int fd = listen_as_syslog("log");

	(void)state;
	log_open("test", LOG_TARGET_SYSLOG, NULL, LOG_FORMAT_TEXT);
	overflow_and_recover(fd);
	close(fd);
}

static void
a_syslog_that_was_restarted_gets_the_lines_again(void **state)
{
	int fd = listen_as_syslog("log");

	(void)state;
	log_open("test", LOG_TARGET_SYSLOG, NULL, LOG_FORMAT_TEXT);
	log_plain(LOG_LEVEL_INFO, "before");
	close(fd);
	log_plain(LOG_LEVEL_INFO, "meanwhile");
	fd = listen_as_syslog("log");
	log_plain(LOG_LEVEL_INFO, "after");
	read_all(fd);
	assert_int_equal(dropped(), 1);
	assert_int_equal(count_of("after"), 1);
	close(fd);
}

static void
a_pipe_as_a_file_that_nobody_reads_leaves_the_lines_to_syslog(void **state)
{
	int fd = listen_as_syslog("log");

	(void)state;
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	log_open("test", LOG_TARGET_FILE, path_of("fifo"), LOG_FORMAT_TEXT);
	log_plain(LOG_LEVEL_INFO, "where nobody reads");
	read_all(fd);
	assert_int_equal(count_of("where nobody reads"), 1);
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
	close(fd);
}

/* As on a full disk. */
static void
log_to_a_file_without_room(void)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = SMALL_BYTES;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_open("test", LOG_TARGET_FILE, path_of("small"), LOG_FORMAT_TEXT);
	log_plain(LOG_LEVEL_INFO, "one");
	log_note(LOG_LEVEL_INFO, "two",
	    LOG_TEXT("long", "0123456789012345678901234567890123456789"
			     "0123456789012345678901234567890123456789"));
	log_plain(LOG_LEVEL_INFO, "three");
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_plain(LOG_LEVEL_INFO, "four");
}

static void
a_file_that_is_full_costs_lines_and_the_next_ones_are_whole(void **state)
{
	(void)state;
	log_to_a_file_without_room();
	read_file("small");
	assert_int_equal(dropped(), 2);
	assert_int_equal(count_of(": one\n"), 1);
	assert_int_equal(count_of("Z test["), 4); /* each begins a line */
	assert_int_equal(count_of("\n20"), 3);
	assert_int_equal(count_of(": four\n"), 1);
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
}

static bool
refuse_line(void *arg, const char *line)
{
	(void)line;
	return *(bool *)arg;
}

static void
lines_that_a_sink_could_not_take_are_counted(void **state)
{
	bool takes = false;

	(void)state;
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
	log_set_sink(refuse_line, &takes);
	log_plain(LOG_LEVEL_INFO, "one");
	log_plain(LOG_LEVEL_INFO, "two");
	takes = true;
	log_set_sink(NULL, NULL);
	log_count_dropped(3);
	log_open("test", LOG_TARGET_FILE, path_of("sink"), LOG_FORMAT_TEXT);
	log_plain(LOG_LEVEL_INFO, "three");
	read_file("sink");
	assert_int_equal(dropped(), 5);
	log_open("test", LOG_TARGET_AUTO, NULL, LOG_FORMAT_TEXT);
}

static int
make_folder(void **state)
{
	static char path[sizeof folder + 32];

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s", path_of("log"));
	outlet_syslog_path = path;
	return 0;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = {
	    "log", "fifo", "small", "sink", "gap"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof names / sizeof *names; i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pipe_that_is_not_read_costs_lines_and_no_time),
	    cmocka_unit_test(
		a_pipe_of_another_user_that_is_not_read_costs_no_time_either),
	    cmocka_unit_test(a_socket_that_is_not_read_costs_lines_and_no_time),
	    cmocka_unit_test(a_reader_that_is_a_moment_late_loses_nothing),
	    cmocka_unit_test(a_line_to_syslog_is_what_syslog_daemons_read),
	    cmocka_unit_test(a_stalled_syslog_costs_lines_and_no_time),
	    cmocka_unit_test(a_syslog_that_was_restarted_gets_the_lines_again),
	    cmocka_unit_test(
		a_pipe_as_a_file_that_nobody_reads_leaves_the_lines_to_syslog),
	    cmocka_unit_test(
		a_file_that_is_full_costs_lines_and_the_next_ones_are_whole),
	    cmocka_unit_test(lines_that_a_sink_could_not_take_are_counted),
	};

	return cmocka_run_group_tests_name(
	    "log", tests, make_folder, remove_folder);
}
