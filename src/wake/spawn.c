/*
 * Starts the relay: see spawn.h.
 */
#include "config.h"

#include "wake/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORT_FD 3 /* in the child: reports a failed exec */

void
spawn_close_from(int first)
{
	long fd, max;

#ifdef HAVE_CLOSE_RANGE
	if (close_range((unsigned)first, ~0U, 0) == 0)
		return;
#endif
	max = sysconf(_SC_OPEN_MAX);
	for (fd = first; fd < max; fd++)
		close((int)fd);
}

static void
reset_signals(void)
{
	sigset_t none;
	int number;

	for (number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* fails for signals that cannot be
					    changed */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Sets the child's four descriptors. Returns false on failure. */
static bool
set_descriptors(int report_fd)
{
	int null_fd;

	if (report_fd != REPORT_FD && dup2(report_fd, REPORT_FD) < 0)
		return false;
	spawn_close_from(REPORT_FD + 1);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
	       dup2(null_fd, STDOUT_FILENO) >= 0 &&
	       dup2(null_fd, STDERR_FILENO) >= 0 &&
	       fcntl(STDIN_FILENO, F_SETFD, 0) == 0 &&
	       fcntl(STDOUT_FILENO, F_SETFD, 0) == 0 &&
	       fcntl(STDERR_FILENO, F_SETFD, 0) == 0 &&
	       fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) == 0;
}

static void
become_relay(char *const *argv, int report_fd)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char *env[] = {path, NULL};

	if (!set_descriptors(report_fd) || setsid() < 0 || chdir("/") != 0)
		return;
	umask(0007);
	reset_signals();
	execve(argv[0], argv, env);
}

/* Returns the child's errno; 0 if exec closed the child's end of the pipe. */
static int
read_report(int fd)
{
	int error = 0;
	ssize_t got;

	do {
		got = read(fd, &error, sizeof error);
	} while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof error ? error : 0;
}

int
spawn_relay(const char *program, const char *config_path)
{
	char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "-c",
	    (char *)(uintptr_t)config_path, (char *)(uintptr_t) "relay",
	    (char *)(uintptr_t) "--on-demand", NULL};
	int report[2], error;
	ssize_t wrote;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) != 0)
		return errno;
	pid = fork();
	if (pid == 0) {
		become_relay(argv, report[1]);
		error = errno;
		wrote = write(REPORT_FD, &error, sizeof error);
		_exit(wrote == (ssize_t)sizeof error ? 127 : 126);
	}
	error = errno;
	close(report[1]);
	if (pid > 0)
		error = read_report(report[0]);
	close(report[0]);
	return error;
}
