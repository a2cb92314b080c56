/*
 * The relay: delivers captured events to their destinations until each has
 * accepted its own. One thread, one loop. Never answers the web and knows no
 * request.
 */
#ifndef HOOKSPOOL_RELAY_H
#define HOOKSPOOL_RELAY_H

struct config;

enum relay_mode {
	RELAY_FOREGROUND, /* until SIGTERM or SIGINT */
	RELAY_ON_DEMAND,  /* the same, but ends after idle_exit with nothing
			     to do; started by an endpoint (--on-demand) */
	RELAY_IF_PENDING  /* on demand, but ends at once if nothing is
			     pending or a relay runs; for timers */
};

/* How long to wait while another process holds the relay lock. */
enum relay_patience {
	RELAY_GIVE_UP, /* wait 5 s, then leave */
	RELAY_WAIT     /* wait as long as necessary (--wait) */
};

struct relay_options {
	/* Read with CONFIG_ALL; borrowed. The reader of the file logs its
	 * faults (log_note), because on demand descriptor 2 is /dev/null. */
	const struct config *config;
	enum relay_mode mode;
	enum relay_patience patience;
};

/* Runs the relay: opens the log, sets signals, takes the relay lock, opens the
 * spool, works. Returns the exit status: 0 when told to stop, when idle, or
 * when another relay does the work; 1 if the spool is unusable as it stands; 75
 * (EX_TEMPFAIL) after a failure of the spool, to be started again. */
int relay_run(const struct relay_options *options);

#endif
