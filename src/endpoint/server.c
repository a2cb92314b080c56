/*
 * The FastCGI process: see server.h. To stop, the process writes to a pipe that
 * nobody reads, so every poll of every thread sees the pipe readable.
 */
#include "config.h"

#include "endpoint/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "web/gateway.h"
#include "endpoint/request.h"
#include "web/watchdog.h"

#define THREADS     32    /* without a configuration */
#define TIMEOUT_MS  10000 /* without a configuration */
#define DRAIN_MS    1000  /* for connections queued at the stop */
#define LACKING_MS  100   /* between tries while descriptors lack */
#define COMPLAIN_MS 60000
#define EXIT_BROKEN 75 /* EX_TEMPFAIL */

struct server {
	int listen_fd;
	struct settings *settings;
	struct starter *starter;
	struct watchdog *dog;
	pthread_mutex_t accept_mutex; /* held by the thread that waits in
					 accept */
	int64_t drain_until_ms;       /* 0: not stopping; by accept_mutex */
	int64_t complain_at_ms;       /* no complaint before; by accept_mutex */
	atomic_bool is_broken;        /* the spool: exit with EXIT_BROKEN */
	bool has_lost_starter;        /* exit with EXIT_BROKEN after queued
					 connections */
	size_t count;                 /* of workers */
	size_t running;               /* workers with a thread */
	int64_t timeout_ms;           /* body_timeout at the start */
	struct worker *workers;
};

struct worker {
	struct server *server;
	pthread_t thread;
	struct gateway *gateway;
	int64_t timeout_ms; /* body_timeout of the last request */
};

/* The read end becomes readable to stop the process. */
static int stop_pipe[2] = {-1, -1};

/* Stops the process. The pipe reaches all threads but the main one, which waits
 * for a signal. */
static void
stop(void)
{
	ssize_t wrote = write(stop_pipe[1], "", 1);

	(void)wrote; /* a full pipe is readable too */
	kill(getpid(), SIGTERM);
}

static void
stop_broken(struct server *server)
{
	if (atomic_exchange(&server->is_broken, true))
		return;
	log_plain(LOG_LEVEL_ERROR, "the spool has failed; this process ends, "
				   "so that a new one takes over");
	stop();
}

struct ready {
	bool has_input;
	bool is_stopping; /* the process must stop */
};

/* Waits until `fd` is readable or the process must stop; timeout -1: no
 * limit. */
static struct ready
wait_for(int fd, int timeout_ms)
{
	struct pollfd fds[2] = {
	    {.fd = fd, .events = POLLIN},
	    {.fd = stop_pipe[0], .events = POLLIN},
	};

	while (poll(fds, 2, timeout_ms) < 0 && errno == EINTR)
		continue;
	return (struct ready){fds[0].revents != 0, fds[1].revents != 0};
}

/* Waits a moment while descriptors or memory lack. */
static void
wait_out_lack(struct server *server)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms >= server->complain_at_ms) {
		log_note(LOG_LEVEL_ERROR,
		    "connections cannot be accepted now and wait",
		    LOG_TEXT("error", strerror(errno)));
		server->complain_at_ms = now_ms + COMPLAIN_MS;
	}
	wait_for(-1, LACKING_MS);
}

/* Accepts a connection if there is one; otherwise `fd` is -1. Returns false if
 * the socket is unusable for good. */
static bool
accept_one(struct server *server, int *fd)
{
	*fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (*fd >= 0)
		return true;
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		wait_out_lack(server);
		return true;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return false;
	default: /* EAGAIN (another process was faster), or the peer left */
		return true;
	}
}

/* Returns whether to accept connections: while stopping, for a moment and only
 * queued ones. */
static bool
goes_on(struct server *server, struct ready ready)
{
	int64_t now_ms;

	if (!ready.is_stopping)
		return true;
	now_ms = clock_mono_ms();
	if (server->drain_until_ms == 0)
		server->drain_until_ms = now_ms + DRAIN_MS;
	return ready.has_input && now_ms < server->drain_until_ms &&
	       !server->is_broken;
}

/* Returns the next connection, or -1 at the end. */
static int
next_connection(struct server *server)
{
	struct ready ready;
	int fd = -1;

	pthread_mutex_lock(&server->accept_mutex);
	do {
		ready = wait_for(server->listen_fd, -1);
		if (!goes_on(server, ready))
			break;
		if (ready.has_input && !accept_one(server, &fd)) {
			log_note(LOG_LEVEL_ERROR,
			    "no connection can be accepted from descriptor 0",
			    LOG_TEXT("error", strerror(errno)));
			stop();
			break;
		}
	} while (fd < 0);
	pthread_mutex_unlock(&server->accept_mutex);
	return fd;
}

/* Answers one request. Returns whether the connection can carry another. */
static bool
serve_request(struct worker *worker, struct exchange *exchange)
{
	struct server *server = worker->server;
	struct settings_view view;
	struct answer answer;
	bool is_kept;

	answer_init(&answer);
	settings_take(server->settings, &view);
	if (view.config != NULL)
		worker->timeout_ms = view.config->endpoint.body_timeout_ms;
	if (request_handle(exchange, &view, &answer))
		starter_wake(server->starter, view.store_config);
	if (view.store != NULL && store_is_broken(view.store))
		stop_broken(server);
	settings_release(server->settings, &view);
	is_kept = gateway_answer(worker->gateway, &answer, worker->timeout_ms);
	answer_free(&answer);
	return is_kept;
}

/* Serves a connection until closed. An idle connection is closed by the web
 * server, or by us at the stop. */
static void
serve_connection(struct worker *worker, int fd)
{
	struct exchange *exchange;

	gateway_open(worker->gateway, fd);
	do {
		exchange = gateway_next(worker->gateway, worker->timeout_ms);
		if (exchange == NULL || !serve_request(worker, exchange))
			break;
	} while (wait_for(fd, -1).has_input);
	gateway_close(worker->gateway);
}

static void *
work(void *arg)
{
	struct worker *worker = arg;
	int fd;

	while ((fd = next_connection(worker->server)) >= 0)
		serve_connection(worker, fd);
	return NULL;
}

static sigset_t
awaited_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD); /* the starter may have ended */
	return set;
}

/* Blocks the signals before any thread starts and before libfcgi sets handlers,
 * so no signal interrupts a thread's read. Only the main thread waits for
 * signals. */
static void
block_signals(void)
{
	sigset_t set = awaited_signals();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Resets ignored signals: an ignored signal would be lost even while
 * blocked. */
static void
set_signals(void)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_IGN); /* configuration changes are noticed anyway */
	signal(SIGPIPE, SIG_IGN);
}

/* Waits until a signal or a worker stops the process, or the starter, without
 * which no relay would start, has ended. */
static void
await_stop(struct server *server)
{
	sigset_t set = awaited_signals();
	int number = SIGCHLD;

	while (number == SIGCHLD && !server->has_lost_starter) {
		server->has_lost_starter = starter_has_ended(server->starter);
		if (!server->has_lost_starter && sigwait(&set, &number) != 0)
			number = SIGCHLD;
	}
	if (server->has_lost_starter)
		log_plain(LOG_LEVEL_ERROR,
		    "the starter of the relay has ended; this process ends, so "
		    "that a new one takes over");
	stop();
}

/* Opens all descriptors before the first thread serves. Accepts fewer threads
 * than configured, but at least one. */
static void
start_workers(struct server *server)
{
	size_t i;
	int error;

	server->workers = xcalloc(server->count, sizeof *server->workers);
	for (i = 0; i < server->count; i++) {
		server->workers[i].server = server;
		server->workers[i].timeout_ms = server->timeout_ms;
		server->workers[i].gateway = gateway_new(server->dog, i);
	}
	for (i = 0; i < server->count; i++) {
		error = pthread_create(&server->workers[i].thread, NULL, work,
		    &server->workers[i]);
		if (error == 0)
			continue;
		log_note(LOG_LEVEL_ERROR, "not all threads can be started",
		    LOG_NUMBER("running", (long long)i),
		    LOG_TEXT("error", strerror(error)));
		break;
	}
	server->running = i;
	if (i == 0)
		exit(1);
}

static void
join_workers(struct server *server)
{
	size_t i;

	for (i = 0; i < server->running; i++)
		pthread_join(server->workers[i].thread, NULL);
	for (i = 0; i < server->count; i++)
		gateway_free(server->workers[i].gateway);
	free(server->workers);
}

/* Takes the number of threads for this process's life, and wakes or starts the
 * relay. */
static void
use_settings(struct server *server)
{
	struct settings_view view;

	settings_take(server->settings, &view);
	server->count = THREADS;
	server->timeout_ms = TIMEOUT_MS;
	if (view.config != NULL) {
		server->count = (size_t)view.config->endpoint.threads;
		server->timeout_ms = view.config->endpoint.body_timeout_ms;
		starter_wake(server->starter, view.config);
	}
	settings_release(server->settings, &view);
}

int
server_run(int fd, struct settings *settings, struct starter *starter)
{
	struct server server = {
	    .listen_fd = fd,
	    .settings = settings,
	    .starter = starter,
	    .accept_mutex = PTHREAD_MUTEX_INITIALIZER,
	};

	block_signals();
	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0 || !gateway_start() ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		fatal(1, "FastCGI cannot be started",
		    LOG_TEXT("error", strerror(errno)));
	set_signals();
	use_settings(&server);
	settings_await_requests(settings);
	server.dog = watchdog_start(server.count);
	if (server.dog == NULL)
		fatal(1, "a thread cannot be started",
		    LOG_TEXT("error", strerror(errno)));
	start_workers(&server);
	await_stop(&server);
	join_workers(&server);
	watchdog_stop(server.dog);
	return server.is_broken || server.has_lost_starter ? EXIT_BROKEN : 0;
}
