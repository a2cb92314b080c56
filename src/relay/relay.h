/*
 * The relay: takes what is captured to its destinations until they have it.
 * One thread, one loop. It never answers the web and knows no request.
 */
#ifndef HOOKSPOOL_RELAY_H
#define HOOKSPOOL_RELAY_H

struct config;

enum relay_mode {
	RELAY_FOREGROUND, /* until SIGTERM or SIGINT */
	RELAY_ON_DEMAND,  /* the same, but ends after idle_exit of nothing to
			     do; what an endpoint starts (--on-demand) */
	RELAY_IF_PENDING  /* on demand, and ends at once where nothing is
			     pending or a relay runs; for timers */
};

/* What to do while another process holds the relay lock. */
enum relay_patience {
	RELAY_GIVE_UP, /* wait 5 s, then leave it to the other */
	RELAY_WAIT     /* wait for as long as it takes (--wait) */
};

struct relay_options {
	/* Read with CONFIG_ALL; borrowed. Who reads it logs what is wrong with
	 * it (log_note): on demand, descriptor 2 is /dev/null. */
	const struct config *config;
	enum relay_mode mode;
	enum relay_patience patience;
};

/* Runs the relay: opens the log, sets signals, takes the relay lock, opens
 * the spool, works. Returns the exit status: 0 when told to stop, idle, or
 * another relay does the work; 1 when the spool is not usable as it is; 75
 * (EX_TEMPFAIL) after a failure of the spool, to be started again. */
int relay_run(const struct relay_options *options);

#endif
