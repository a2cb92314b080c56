/*
 * The signals of the relay: see signals.h. The signals are blocked and read
 * from a descriptor, so that none interrupts anything, in no thread.
 */
#include "config.h"

#include "relay/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int fd = -1;
static bool is_told_to_stop;
static bool is_told_to_reload;

static sigset_t
awaited(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	return signals;
}

static void
handle(int number, void (*handler)(int))
{
	const struct sigaction action = {.sa_handler = handler};

	sigaction(number, &action, NULL);
}

void
signals_ignore_reload(void)
{
	const sigset_t signals = awaited();

	handle(SIGHUP, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

bool
signals_set(void)
{
	const sigset_t signals = awaited();

	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
		return false;
	handle(SIGPIPE, SIG_IGN);
	handle(SIGHUP, SIG_DFL);
	return true;
}

int
signals_fd(void)
{
	return fd;
}

void
signals_drain(void)
{
	struct signalfd_siginfo signal;

	while (read(fd, &signal, sizeof signal) == (ssize_t)sizeof signal) {
		if (signal.ssi_signo == SIGHUP)
			is_told_to_reload = true;
		else
			is_told_to_stop = true;
	}
}

bool
signals_is_stop(void)
{
	signals_drain();
	return is_told_to_stop;
}

void
signals_stop(void)
{
	is_told_to_stop = true;
}

bool
signals_take_reload(void)
{
	bool is_told = is_told_to_reload;

	is_told_to_reload = false;
	return is_told;
}
