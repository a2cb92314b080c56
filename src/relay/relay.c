/*
 * The relay as a process: see relay.h. It starts, waits, is woken, stops;
 * work.c does the work. One thread: all waiting is in deliver_wait.
 */
#include "config.h"

#include "relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "relay/deliver.h"
#include "relay/work.h"
#include "spool/spool.h"
#include "spool/wake.h"

#define LOCK_WAIT_MS     5000
#define LOCK_PATIENCE_MS (3600 * INT64_C(1000)) /* then again */
#define CHORES_EVERY_MS  60000
#define OPEN_PAUSE_MS    1000
#define STOP_GRACE_MS    2000 /* for attempts that are under way */
#define STOP_RECORD_MS   3000 /* for their outcomes to be recorded */
#define WRITE_WAIT_MS    1000 /* nothing else is done meanwhile */
#define WHY_MAX_BYTES    1024
#define NO_DESCRIPTOR    (-1)

struct relay {
	const struct relay_options *options;
	const struct config *config; /* of the options */
	struct store *store;
	struct work work;
	int lock_fd;
	int wake_fd;
	int64_t chores_mono_ms; /* when to look at everything, and erase */
	int64_t idle_mono_ms;   /* idle since then; 0: it is not */
	int64_t erased_events;  /* and not said in the log yet */
};

/* ---- signals: a flag, and a pipe that ends the waiting ---- */

static volatile sig_atomic_t is_told_to_stop;
static int stop_pipe[2] = {NO_DESCRIPTOR, NO_DESCRIPTOR};

static void
stop(int number)
{
	int saved_errno = errno;
	ssize_t unused;

	(void)number;
	is_told_to_stop = 1;
	unused = write(stop_pipe[1], "", 1);
	(void)unused;
	errno = saved_errno;
}

static bool
set_signals(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction stopping = {.sa_handler = stop};

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	sigaction(SIGPIPE, &ignore, NULL); /* TLS writes to closed sockets */
	sigaction(SIGXFSZ, &ignore, NULL); /* a write fails instead */
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGTERM, &stopping, NULL);
	sigaction(SIGINT, &stopping, NULL);
	return true;
}

/* ---- start ---- */

static int
take_lock(const struct relay_options *options)
{
	const char *path = options->config->spool.path;
	int fd;

	if (options->mode == RELAY_IF_PENDING)
		return store_lock_relay(path, 0);
	if (options->patience == RELAY_GIVE_UP)
		return store_lock_relay(path, LOCK_WAIT_MS);
	while ((fd = store_lock_relay(path, LOCK_PATIENCE_MS)) < 0) {
		if (errno == EALREADY)
			poll(NULL, 0, 1000); /* another waits before us */
		else if (errno != EWOULDBLOCK)
			break;
	}
	return fd;
}

/* 0 where another relay does the work, else the exit status of a failure. */
static int
explain_lock(const char *path, int error)
{
	if (error == EWOULDBLOCK || error == EALREADY) {
		log_note(LOG_LEVEL_INFO, "another relay has this spool",
		    LOG_TEXT("spool", path));
		return EX_OK;
	}
	log_note(LOG_LEVEL_ERROR,
	    "cannot take the relay lock; `hookspool init` makes a spool",
	    LOG_TEXT("spool", path), LOG_TEXT("error", strerror(error)));
	return 1;
}

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
	const struct spool_config *spool = &relay->config->spool;
	struct store_options options = {.path = spool->path,
	    .access = STORE_RELAY,
	    .min_free_bytes = spool->min_free_bytes,
	    .max_size_bytes = spool->max_size_bytes,
	    .write_wait_ms = WRITE_WAIT_MS};
	enum store_status status;

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

/* A spool that is busy or full now is waited for: who would start us again? */
static enum store_status
open_all(struct relay *relay)
{
	struct pollfd stopped = {.fd = stop_pipe[0], .events = POLLIN};
	enum store_status status;
	bool is_first = true;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	for (;;) {
		status = open_store(relay, &why);
		if (status != STORE_OK && is_first)
			log_note(LOG_LEVEL_ERROR, "cannot use the spool",
			    LOG_TEXT("why", buf_text(&why)));
		if (status != STORE_BUSY && status != STORE_FULL)
			break;
		is_first = false;
		if (poll(&stopped, 1, OPEN_PAUSE_MS) > 0)
			break;
	}
	buf_free(&why);
	return status;
}

static void
close_all(struct relay *relay)
{
	if (relay->wake_fd >= 0)
		wake_close(relay->config->spool.path, relay->wake_fd);
	work_close(&relay->work);
	store_close(relay->store);
	if (relay->lock_fd >= 0)
		close(relay->lock_fd);
}

static bool
listen_again(struct relay *relay)
{
	relay->wake_fd = wake_listen(relay->config->spool.path);
	if (relay->wake_fd < 0)
		log_note(LOG_LEVEL_ERROR, "cannot make the relay's socket",
		    LOG_TEXT("spool", relay->config->spool.path),
		    LOG_TEXT("error", strerror(errno)));
	work_look_again(&relay->work); /* what came before we listened */
	return relay->wake_fd >= 0;
}

/* ---- chores: once a minute ---- */

/* One step of erasing what has outlived its time. */
static enum store_status
erase_old(struct relay *relay, bool *is_more)
{
	const struct spool_config *spool = &relay->config->spool;
	struct retention retention = {.now_ms = clock_wall_ms(),
	    .retain_ms = spool->retain_ms,
	    .retain_dead_ms = spool->retain_dead_ms,
	    .retain_refused_ms = spool->retain_refused_ms};
	enum store_status status;
	int64_t erased = 0;

	*is_more = false;
	status = store_erase_old(relay->store, &retention, &erased, is_more);
	if (status == STORE_BUSY || status == STORE_FULL) {
		*is_more = false; /* next minute, then */
		status = STORE_OK;
	}
	relay->erased_events += erased;
	if (!*is_more && relay->erased_events > 0) {
		log_note(LOG_LEVEL_INFO, "old events erased",
		    LOG_NUMBER("events", relay->erased_events));
		relay->erased_events = 0;
	}
	return status;
}

/* Done where nothing else is due. Also looks at everything once, so that a
 * wake-up that could not be sent costs a minute and no more. */
static enum store_status
do_chores(struct relay *relay)
{
	enum store_status status;
	bool is_more;

	if (store_is_broken(relay->store))
		return STORE_FAILED;
	status = erase_old(relay, &is_more);
	if (!is_more) {
		relay->chores_mono_ms = clock_mono_ms() + CHORES_EVERY_MS;
		work_look_again(&relay->work);
	}
	return status;
}

/* ---- the loop ---- */

static int64_t
until(int64_t mono_ms)
{
	int64_t wait_ms = mono_ms - clock_mono_ms();

	return wait_ms > 0 ? wait_ms : 0;
}

/* How long until an idle relay ends; INT64_MAX: not for idleness. */
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
static void
wait_for_work(struct relay *relay, int64_t wait_ms)
{
	int fds[] = {stop_pipe[0], relay->wake_fd};

	if (wait_ms > CHORES_EVERY_MS)
		wait_ms = CHORES_EVERY_MS;
	deliver_wait(relay->work.deliver, fds, relay->wake_fd >= 0 ? 2 : 1,
	    wait_ms > 0 ? (int)wait_ms : 0);
	if (relay->wake_fd >= 0 && wake_drain(relay->wake_fd) > 0)
		work_look_again(&relay->work);
}

/* Ends the listening for good, unless something came in the meantime: then
 * it goes on. Whoever commits from here on finds nobody, starts a relay, and
 * that one waits for our lock. */
static enum store_status
leave(struct relay *relay, bool *is_over)
{
	enum store_status status;
	bool is_pending = true;

	wake_close(relay->config->spool.path, relay->wake_fd);
	relay->wake_fd = NO_DESCRIPTOR;
	relay->idle_mono_ms = 0;
	status = store_read_pending(relay->store, &is_pending);
	if (status == STORE_BUSY)
		status = STORE_OK; /* look later */
	*is_over = status == STORE_OK && !is_pending;
	if (status == STORE_OK && is_pending && !listen_again(relay))
		status = STORE_FAILED;
	return status;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until told to stop, or idle for long enough. */
static enum store_status
run(struct relay *relay)
{
	enum store_status status = STORE_OK;
	bool is_over = false;

	while (status == STORE_OK && !is_told_to_stop && !is_over) {
		int64_t work_ms = 0, idle_ms, chores_ms;

		status = work_turn(&relay->work, &work_ms);
		if (status != STORE_OK)
			break;
		idle_ms = idle_exit_wait_ms(relay);
		chores_ms = until(relay->chores_mono_ms);
		if (chores_ms == 0 && work_ms > 0)
			status = do_chores(relay);
		else if (idle_ms == 0)
			status = leave(relay, &is_over);
		wait_for_work(relay, least(work_ms, least(chores_ms, idle_ms)));
	}
	return status;
}

/* Gives what is under way a moment, breaks off the rest, records it all. */
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
		log_plain(LOG_LEVEL_WARN, "outcomes could not be recorded: "
					  "their deliveries are made again");
	return status;
}

static enum store_status
serve(struct relay *relay)
{
	enum store_status status;

	if (!listen_again(relay))
		return STORE_FAILED;
	log_note(LOG_LEVEL_INFO, "relay started",
	    LOG_TEXT("spool", relay->config->spool.path),
	    LOG_NUMBER("destinations", (long long)relay->work.queue_count));
	status = run(relay);
	if (status == STORE_OK)
		status = finish(relay);
	if (status != STORE_OK)
		log_note(LOG_LEVEL_ERROR, "the relay gives up",
		    LOG_TEXT("why", store_why(relay->store)));
	else
		log_plain(LOG_LEVEL_INFO, is_told_to_stop
					      ? "relay stopped, as it was told"
					      : "relay ends: nothing to do");
	return status;
}

/* For --if-pending: erases what is old, and says whether there is more to do
 * than that. */
static enum store_status
look_once(struct relay *relay, bool *is_pending)
{
	enum store_status status = store_read_pending(relay->store, is_pending);
	bool is_more = status == STORE_OK && !*is_pending;

	while (status == STORE_OK && is_more && !is_told_to_stop)
		status = erase_old(relay, &is_more);
	return status;
}

int
relay_run(const struct relay_options *options)
{
	const struct config *config = options->config;
	struct relay relay = {
	    .options = options, .config = config, .wake_fd = NO_DESCRIPTOR};
	enum store_status status;
	bool is_needed = true;

	log_open("hookspool", config->log.target, config->log.path,
	    config->log.format);
	relay.lock_fd = take_lock(options);
	if (relay.lock_fd < 0)
		return explain_lock(config->spool.path, errno);
	status = set_signals() ? open_all(&relay) : STORE_FAILED;
	if (status == STORE_OK && options->mode == RELAY_IF_PENDING)
		status = look_once(&relay, &is_needed);
	if (status == STORE_OK && is_needed)
		status = serve(&relay);
	close_all(&relay);
	return exit_status(status);
}
