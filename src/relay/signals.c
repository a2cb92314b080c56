/*
 * The signals of the relay: see signals.h.
 */
#include "config.h"

#include "relay/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t is_told_to_stop;
static volatile sig_atomic_t is_told_to_reload;
static int signal_pipe[2] = {-1, -1};

static void
take(int number)
{
	int saved_errno = errno;
	ssize_t unused;

	if (number == SIGHUP)
		is_told_to_reload = 1;
	else
		is_told_to_stop = 1;
	unused = write(signal_pipe[1], "", 1);
	(void)unused;
	errno = saved_errno;
}

void
signals_ignore_reload(void)
{
	struct sigaction ignoring = {.sa_handler = SIG_IGN};

	sigaction(SIGHUP, &ignoring, NULL);
}

bool
signals_set(void)
{
	struct sigaction ignoring = {.sa_handler = SIG_IGN};
	struct sigaction taking = {.sa_handler = take};

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	sigaction(SIGPIPE, &ignoring, NULL); /* TLS writes to closed sockets */
	sigaction(SIGHUP, &taking, NULL);
	sigaction(SIGTERM, &taking, NULL);
	sigaction(SIGINT, &taking, NULL);
	return true;
}

int
signals_fd(void)
{
	return signal_pipe[0];
}

void
signals_drain(void)
{
	char bytes[16];

	while (read(signal_pipe[0], bytes, sizeof bytes) > 0)
		continue;
}

bool
signals_is_stop(void)
{
	return is_told_to_stop != 0;
}

void
signals_stop(void)
{
	is_told_to_stop = 1;
}

bool
signals_take_reload(void)
{
	bool is_told = is_told_to_reload != 0;

	is_told_to_reload = 0;
	return is_told;
}
