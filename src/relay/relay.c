/*
 * The relay as a process: see relay.h. Starts, waits, wakes, stops; work.c does
 * the work. One thread: all waiting is in deliver_wait.
 */
#include "config.h"

#include "relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "deliver/deliver.h"
#include "deliver/descriptors.h"
#include "relay/restart.h"
#include "relay/note.h"
#include "relay/retain.h"
#include "relay/signals.h"
#include "relay/sole.h"
#include "relay/work.h"
#include "spool/spool.h"
#include "wake/wake.h"

#define CHORES_EVERY_MS 60000
#define OPEN_PAUSE_MS   1000
#define STOP_GRACE_MS   2000 /* for attempts that are running */
#define STOP_RECORD_MS  3000 /* for recording their outcomes */
#define WRITE_WAIT_MS   1000 /* blocks everything else meanwhile */
#define WHY_MAX_BYTES   1024

struct relay {
	const struct relay_options *options;
	const struct config *config; /* held; of the options, or reloaded */
	const char *spool_path;      /* does not change after the start */
	struct store *store;
	struct work work;
	int lock_fd;
	struct wake_socket socket;
	int64_t chores_mono_ms; /* when to examine everything and erase */
	int64_t idle_mono_ms;   /* idle since; 0: not idle */
	int64_t erased_events;  /* not logged yet */
	bool is_reload_asked;
	bool is_restarting;     /* execute the program again at the end */
	int64_t reload_mono_ms; /* no earlier reload: the spool was busy */
};

/* ---- start ---- */

static int
exit_status(enum store_status status)
{
	switch (status) {
	case STORE_OK:
		return EX_OK;
	case STORE_MISSING:
	case STORE_REFUSED:
	case STORE_TOO_OLD:
	case STORE_TOO_NEW:
		return 1;
	case STORE_FAILED:
	case STORE_BUSY:
	case STORE_FULL:
	case STORE_GONE:
		break;
	}
	return EX_TEMPFAIL;
}

static enum store_status
open_store(struct relay *relay, struct buf *why)
{
	struct store_options options =
	    store_options_for(&relay->config->spool, STORE_RELAY);
	enum store_status status;

	options.write_wait_ms = WRITE_WAIT_MS;
	status = store_open(&options, &relay->store, why);
	if (status != STORE_OK)
		return status;
	status = work_open(&relay->work, relay->config, relay->store);
	if (status == STORE_OK)
		return status;
	buf_clear(why);
	buf_add_text(why, store_why(relay->store));
	store_close(relay->store);
	relay->store = NULL;
	return status;
}

/* Opens the spool. Waits for a busy or full one, because nobody might start the
 * relay again. */
static enum store_status
open_all(struct relay *relay)
{
	struct pollfd signal = {.fd = signals_fd(), .events = POLLIN};
	enum store_status status;
	bool is_first = true;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	for (;;) {
		status = open_store(relay, &why);
		if (status != STORE_OK && is_first)
			log_note(LOG_LEVEL_ERROR, "the spool cannot be used",
			    LOG_TEXT("reason", buf_text(&why)));
		if (status != STORE_BUSY && status != STORE_FULL)
			break;
		is_first = false;
		poll(&signal, 1, OPEN_PAUSE_MS);
		signals_drain();
		if (signals_is_stop())
			break;
	}
	buf_free(&why);
	return status;
}

static void
close_all(struct relay *relay)
{
	if (relay->socket.fd >= 0)
		wake_close(relay->spool_path, &relay->socket);
	work_close(&relay->work);
	store_close(relay->store);
	config_drop(relay->config);
	if (relay->lock_fd >= 0)
		close(relay->lock_fd);
}

static bool
listen_again(struct relay *relay)
{
	bool is_made = wake_listen(relay->spool_path, &relay->socket);

	if (!is_made)
		log_note(LOG_LEVEL_ERROR,
		    "the relay's socket cannot be created",
		    LOG_TEXT("spool", relay->spool_path),
		    LOG_TEXT("error", strerror(errno)));
	work_look_again(&relay->work); /* for events before listening */
	return is_made;
}

/* Handles wake-ups, and requests from the operator's command. */
static void
take_datagrams(struct relay *relay)
{
	bool asked[WAKE_REQUEST_COUNT] = {false};

	if (relay->socket.fd >= 0 && wake_drain(relay->socket.fd, asked) > 0)
		work_look_for_new(&relay->work);
	if (asked[WAKE_LOOK])
		work_look_again(&relay->work);
	if (asked[WAKE_RELOAD])
		relay->is_reload_asked = true;
	if (asked[WAKE_STOP])
		signals_stop();
	else if (asked[WAKE_RESTART] &&
		 restart_is_possible(relay->config->path)) {
		relay->is_restarting = true;
		signals_stop();
	}
}

/* Makes the socket again if it was removed or could not be made. */
static enum store_status
mend_socket(struct relay *relay)
{
	enum store_status status;

	if (!wake_is_lost(relay->spool_path, &relay->socket))
		return STORE_OK;
	/* Not in a folder that replaced ours: the folder holds another
	 * spool. */
	status = store_check_files(relay->store);
	if (status != STORE_OK)
		return status;
	take_datagrams(relay);
	if (relay->socket.fd >= 0)
		wake_close(relay->spool_path, &relay->socket);
	if (listen_again(relay))
		log_note(LOG_LEVEL_WARN,
		    "the relay's socket was missing and was created again",
		    LOG_TEXT("spool", relay->spool_path));
	return STORE_OK;
}

/* ---- chores: once a minute ---- */

/* Does the chores, when nothing else is due. Also examines everything once, so
 * that a lost wake-up costs at most a minute. */
static enum store_status
do_chores(struct relay *relay)
{
	enum store_status status;
	bool is_more;

	if (store_is_broken(relay->store))
		return STORE_FAILED;
	status = mend_socket(relay);
	if (status != STORE_OK)
		return status;
	status = retain_step(relay->store, &relay->config->spool,
	    &relay->erased_events, &is_more);
	if (!is_more) {
		relay->chores_mono_ms = clock_mono_ms() + CHORES_EVERY_MS;
		work_look_again(&relay->work);
	}
	return status;
}

/* ---- reload ---- */

static int64_t
until(int64_t mono_ms)
{
	int64_t wait_ms = mono_ms - clock_mono_ms();

	return wait_ms > 0 ? wait_ms : 0;
}

/* Applies a new configuration, except to the destinations. */
static void
apply(struct relay *relay)
{
	const struct config *config = relay->config;

	config_open_log(&config->log, "hookspool");
	store_set_limits(relay->store, config->spool.min_free_bytes,
	    config->spool.max_size_bytes);
	descriptors_raise(
	    destinations_in_flight_max(&relay->work.destinations));
	log_note(LOG_LEVEL_NOTICE, "configuration loaded again",
	    LOG_TEXT("file", config->path),
	    LOG_NUMBER("destinations", (long long)config->destination_count));
	if (strcmp(config->spool.path, relay->spool_path) != 0)
		log_note(LOG_LEVEL_WARN,
		    "the path of the spool has changed; restart the relay to "
		    "use it",
		    LOG_TEXT("spool", relay->spool_path),
		    LOG_TEXT("configured", config->spool.path));
}

/* Postpones the reload while the spool cannot be written. */
static enum store_status
postpone(struct relay *relay, enum store_status status)
{
	if (status != STORE_BUSY && status != STORE_FULL)
		return STORE_FAILED;
	if (relay->reload_mono_ms == 0)
		log_note(LOG_LEVEL_WARN,
		    "the new configuration is not used yet: the spool cannot "
		    "be written now",
		    LOG_TEXT("reason", store_why(relay->store)));
	relay->reload_mono_ms = clock_mono_ms() + OPEN_PAUSE_MS;
	return STORE_OK;
}

static enum store_status
reload(struct relay *relay)
{
	enum store_status status = STORE_OK;
	struct config *config;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	config = config_load(relay->config->path, CONFIG_ALL, &why);
	if (config == NULL) {
		log_note(LOG_LEVEL_ERROR,
		    "the new configuration has an error; the old one stays in "
		    "use",
		    LOG_TEXT("reason", buf_text(&why)));
		goto done;
	}
	status = work_reload(&relay->work, config);
	if (status != STORE_OK) {
		config_drop(config);
		status = postpone(relay, status);
		goto out;
	}
	config_drop(relay->config);
	relay->config = config;
	apply(relay);
done:
	relay->is_reload_asked = false;
	relay->reload_mono_ms = 0;
out:
	buf_free(&why);
	return status;
}

static enum store_status
reload_if_asked(struct relay *relay)
{
	if (!relay->is_reload_asked || until(relay->reload_mono_ms) > 0)
		return STORE_OK;
	return reload(relay);
}

/* ---- the loop ---- */

/* Returns the wait until an idle relay ends; INT64_MAX: does not end. */
static int64_t
idle_exit_wait_ms(struct relay *relay)
{
	if (relay->options->mode == RELAY_FOREGROUND ||
	    !work_is_idle(&relay->work)) {
		relay->idle_mono_ms = 0;
		return INT64_MAX;
	}
	if (relay->idle_mono_ms == 0)
		relay->idle_mono_ms = clock_mono_ms();
	return until(relay->idle_mono_ms + relay->config->relay.idle_exit_ms);
}

/* Waits for an attempt, a wake-up, a signal, or the time. */
static enum store_status
wait_for_work(struct relay *relay, int64_t wait_ms)
{
	const int all[] = {
	    signals_fd(), relay->socket.fd, relay->socket.watch_fd};
	int fds[3];
	size_t i, count = 0;

	for (i = 0; i < 3; i++)
		if (all[i] >= 0)
			fds[count++] = all[i];
	if (wait_ms > CHORES_EVERY_MS)
		wait_ms = CHORES_EVERY_MS;
	deliver_wait(
	    relay->work.deliver, fds, count, wait_ms > 0 ? (int)wait_ms : 0);
	signals_drain();
	take_datagrams(relay);
	if (signals_take_reload())
		relay->is_reload_asked = true;
	return wake_is_touched(&relay->socket) ? mend_socket(relay) : STORE_OK;
}

/* Stops listening for good, unless something came meanwhile; then continues.
 * From here on, a process that commits finds no listener and starts a relay,
 * which waits for our lock. */
static enum store_status
leave(struct relay *relay, bool *is_over)
{
	enum store_status status;
	bool is_pending = true;

	wake_close(relay->spool_path, &relay->socket);
	relay->idle_mono_ms = 0;
	status = store_read_pending(relay->store, &is_pending);
	if (status == STORE_BUSY)
		status = STORE_OK; /* look later */
	*is_over = status == STORE_OK && !is_pending;
	if (status != STORE_OK || !is_pending)
		return status;
	/* A reload may have been requested just before the socket closed. */
	relay->is_reload_asked |= config_is_stale(relay->config);
	return listen_again(relay) ? STORE_OK : STORE_FAILED;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Runs until told to stop, or idle for long enough. */
static enum store_status
run(struct relay *relay)
{
	enum store_status status = STORE_OK;
	bool is_over = false;

	while (status == STORE_OK && !signals_is_stop() && !is_over) {
		int64_t work_ms = 0, idle_ms, chores_ms;

		status = reload_if_asked(relay);
		if (status == STORE_OK)
			status = work_turn(&relay->work, &work_ms);
		if (status != STORE_OK)
			break;
		idle_ms = idle_exit_wait_ms(relay);
		if (relay->is_reload_asked)
			work_ms = least(work_ms, until(relay->reload_mono_ms));
		chores_ms = until(relay->chores_mono_ms);
		if (chores_ms == 0 && work_ms > 0)
			status = do_chores(relay);
		else if (idle_ms == 0)
			status = leave(relay, &is_over);
		if (status == STORE_OK && !is_over)
			status = wait_for_work(
			    relay, least(work_ms, least(chores_ms, idle_ms)));
	}
	return status;
}

/* Gives running attempts a moment, breaks off the rest, and records all. */
static enum store_status
finish(struct relay *relay)
{
	int64_t grace_mono_ms = clock_mono_ms() + STOP_GRACE_MS;
	int64_t record_mono_ms = clock_mono_ms() + STOP_RECORD_MS;
	enum store_status status = STORE_OK;
	int64_t wait_ms = 0;

	relay->work.is_closing = true;
	while (status == STORE_OK && work_is_unfinished(&relay->work) &&
	       until(record_mono_ms) > 0) {
		if (until(grace_mono_ms) == 0)
			work_abandon(&relay->work);
		status = work_turn(&relay->work, &wait_ms);
		if (work_is_unfinished(&relay->work))
			deliver_wait(relay->work.deliver, NULL, 0,
			    wait_ms < 100 ? (int)wait_ms : 100);
	}
	if (work_is_unfinished(&relay->work))
		log_plain(LOG_LEVEL_WARN, "outcomes could not be recorded; "
					  "their deliveries are repeated");
	return status;
}

static enum store_status
serve(struct relay *relay)
{
	enum store_status status;

	if (!listen_again(relay))
		return STORE_FAILED;
	descriptors_raise(
	    destinations_in_flight_max(&relay->work.destinations));
	log_note(LOG_LEVEL_NOTICE, "relay started",
	    LOG_TEXT("spool", relay->spool_path),
	    LOG_NUMBER(
		"destinations", (long long)relay->work.destinations.count));
	status = run(relay);
	if (status == STORE_OK)
		status = finish(relay);
	if (status != STORE_OK)
		log_note(LOG_LEVEL_ERROR,
		    "the relay ends: the spool has failed",
		    LOG_TEXT("reason", store_why(relay->store)));
	else
		log_plain(LOG_LEVEL_NOTICE,
		    relay->is_restarting ? "relay restarts"
		    : signals_is_stop()  ? "relay stopped on request"
					 : "relay ends, with nothing to do");
	return status;
}

/* Prepares --if-pending: erases what is old, and returns whether there is more
 * to do. */
static enum store_status
look_once(struct relay *relay, bool *is_pending)
{
	enum store_status status = store_read_pending(relay->store, is_pending);
	bool is_more = status == STORE_OK && !*is_pending;

	if (is_more)
		status = note_clock(relay->store, INT64_MAX);
	while (status == STORE_OK && is_more && !signals_is_stop())
		status = retain_step(relay->store, &relay->config->spool,
		    &relay->erased_events, &is_more);
	return status;
}

int
relay_run(const struct relay_options *options)
{
	const struct config *config = options->config;
	struct relay relay = {.options = options,
	    .spool_path = config->spool.path,
	    .socket = WAKE_SOCKET_NONE};
	enum store_status status;
	bool is_needed = true, is_stale;

	config_open_log(&config->log, "hookspool");
	signals_ignore_reload();
	is_stale = config_is_stale(config);
	relay.lock_fd = sole_take_lock(options);
	if (relay.lock_fd < 0)
		return sole_explain(config->spool.path, errno);
	relay.config = config_hold(config);
	/* The configuration may have changed while waiting for the lock. */
	relay.is_reload_asked = !is_stale && config_is_stale(config);
	status = signals_set() ? open_all(&relay) : STORE_FAILED;
	if (status == STORE_OK && options->mode == RELAY_IF_PENDING)
		status = look_once(&relay, &is_needed);
	if (status == STORE_OK && is_needed)
		status = serve(&relay);
	close_all(&relay);
	if (!relay.is_restarting)
		return exit_status(status);
	restart_execute();
	return EX_TEMPFAIL;
}
