/*
 * Shows the progress of long work: see progress.h.
 */
#include "config.h"

#include "command/progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define QUIET_MS    1000 /* shorter work shows nothing */
#define INTERVAL_MS 200

static volatile sig_atomic_t is_stopped;

static void
stop(int number)
{
	(void)number;
	is_stopped = 1;
}

/* Catches a signal, unless ignored (nohup). A second signal ends the process at
 * once. */
static void catch (int number)
{
	struct sigaction action, before;

	memset(&action, 0, sizeof action);
	action.sa_handler = stop;
	action.sa_flags = (int)(SA_RESTART | SA_RESETHAND);
	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &before) == 0 &&
	    before.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

void
progress_begin(struct progress *progress, const char *what)
{
	*progress =
	    (struct progress){.what = what, .begun_ms = clock_mono_ms()};
	catch (SIGINT);
	catch (SIGTERM);
	catch (SIGHUP);
}

bool
progress_show(struct progress *progress, int64_t count)
{
	int64_t now_ms = clock_mono_ms();
	int64_t next_ms = progress->shown_ms == 0
			      ? progress->begun_ms + QUIET_MS
			      : progress->shown_ms + INTERVAL_MS;

	if (now_ms >= next_ms && isatty(STDERR_FILENO)) {
		fprintf(
		    stderr, "\r%lld %s ...", (long long)count, progress->what);
		fflush(stderr);
		progress->shown_ms = now_ms;
	}
	return !progress_is_stopped();
}

void
progress_end(struct progress *progress)
{
	if (progress->shown_ms != 0)
		fputs("\r\033[K", stderr);
	progress->shown_ms = 0;
}

bool
progress_is_stopped(void)
{
	return is_stopped != 0;
}
