/*
 * The starter: see starter.h. Each message names the program to start and the
 * spool folder, because the configuration may change; the newest message
 * counts. However the parent ends, the starter reads the end of its socket.
 */
#include "config.h"

#include "wake/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "wake/spawn.h"
#include "wake/wake.h"

#define START_EVERY_MS    1000
#define COMPLAIN_EVERY_MS 60000
#define PATH_MAX_BYTES    4096
#define STARTER_FD        3 /* the starter's end of the socket */

struct starter {
	int fd; /* the parent's end of the socket */
	pid_t pid;
	atomic_bool was_asked; /* the starter may still want to start a
				  program */
};

/* The program and the spool folder, each with a NUL. */
struct message {
	char bytes[2 * PATH_MAX_BYTES];
	size_t len;
};

/* The state inside the starter. */
struct starts {
	const char *config_path;
	bool is_asked;                /* a relay is to be woken or started */
	char program[PATH_MAX_BYTES]; /* empty: wake, and start nothing */
	char spool[PATH_MAX_BYTES];
	int64_t next_at_ms;     /* no earlier try */
	int64_t complain_at_ms; /* no earlier complaint */
};

static void
log_failure(const char *program, int error)
{
	log_note(LOG_LEVEL_ERROR,
	    "the relay cannot be started; see `program` and `start` in "
	    "[relay]",
	    LOG_TEXT("program", program), LOG_TEXT("error", strerror(error)));
}

static void
log_unwoken(int error)
{
	log_note(LOG_LEVEL_WARN, "the relay cannot be woken",
	    LOG_TEXT("error", strerror(error)));
}

/* Logs a failure, at most once a minute. */
static void
complain(struct starts *starts, bool is_start, int error)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms < starts->complain_at_ms)
		return;
	starts->complain_at_ms = now_ms + COMPLAIN_EVERY_MS;
	if (is_start)
		log_failure(starts->program, error);
	else
		log_unwoken(error);
}

/* Wakes the running relay, or starts one. Tries again later after a failure. */
static void
try_it(struct starts *starts)
{
	int error = 0;

	starts->next_at_ms = clock_mono_ms() + START_EVERY_MS;
	switch (wake_send(starts->spool)) {
	case WAKE_SENT:
		break;
	case WAKE_NOBODY:
		if (starts->program[0] != '\0')
			error =
			    spawn_relay(starts->program, starts->config_path);
		if (error != 0)
			complain(starts, true, error);
		break;
	case WAKE_FAILED:
		error = errno != 0 ? errno : EIO;
		complain(starts, false, error);
		break;
	}
	starts->is_asked = error != 0;
}

/* Returns how long to wait for the next message; -1: without limit. */
static int
wait_ms(const struct starts *starts)
{
	int64_t left_ms = starts->next_at_ms - clock_mono_ms();

	if (!starts->is_asked)
		return -1;
	return left_ms > 0 ? (int)left_ms : 0;
}

/* Takes one message. Returns false at the end of the socket. */
static bool
take_message(int fd, struct starts *starts)
{
	struct message message;
	ssize_t got =
	    recv(fd, message.bytes, sizeof message.bytes, MSG_DONTWAIT);
	size_t program_len, spool_len;

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	if (got == 0)
		return false;
	program_len = strnlen(message.bytes, (size_t)got);
	if (program_len + 1 >= (size_t)got || message.bytes[got - 1] != '\0')
		return true; /* malformed */
	spool_len = (size_t)got - program_len - 1;
	memcpy(starts->program, message.bytes, program_len + 1);
	memcpy(starts->spool, message.bytes + program_len + 1, spool_len);
	starts->is_asked = true;
	return true;
}

/* Runs until the parent ends, then tries an open request once more. */
static void
run(int fd, const char *config_path)
{
	struct starts starts = {.config_path = config_path};
	struct pollfd socket = {.fd = fd, .events = POLLIN};
	bool goes_on = true;

	while (goes_on) {
		if (poll(&socket, 1, wait_ms(&starts)) > 0)
			goes_on = take_message(fd, &starts);
		if (starts.is_asked && (!goes_on || wait_ms(&starts) == 0))
			try_it(&starts);
	}
}

/* Ignores signals by which a web server ends its whole process group: the
 * starter must outlive its parent. */
static void
ignore_signals(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* relays leave no zombies */
}

/* Closes all descriptors but the socket, moved to STARTER_FD, and standard
 * error, for the log. Returns whether that succeeded. */
static bool
shed(int fd, const struct log_config *log)
{
	static const struct log_config by_default = {.target = LOG_TARGET_AUTO,
	    .format = LOG_FORMAT_TEXT,
	    .level = LOG_LEVEL_INFO};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Without /dev/null nothing can be started, but the starter must
	 * stay. */
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
	    dup2(null_fd, STDOUT_FILENO) < 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
	}
	/* Makes the log open its target again, since the descriptor is closed
	 * below. */
	if (log == NULL)
		log = &by_default;
	config_open_log(log, "hookspool.fcgi");
	if (fd != STARTER_FD && dup2(fd, STARTER_FD) < 0)
		return false;
	spawn_close_from(STARTER_FD + 1);
	return fcntl(STARTER_FD, F_SETFD, FD_CLOEXEC) == 0;
}

struct starter *
starter_start(const char *config_path, const struct log_config *log)
{
	struct starter *starter = NULL;
	int ends[2];
	pid_t pid;

	/* A web server may leave SIGCHLD ignored; then no end would be
	 * reported. */
	signal(SIGCHLD, SIG_DFL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		goto failed;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		ignore_signals();
		if (shed(ends[1], log))
			run(STARTER_FD, config_path);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		goto failed;
	}
	starter = xcalloc(1, sizeof *starter);
	starter->fd = ends[0];
	starter->pid = pid;
	return starter;
failed:
	log_note(LOG_LEVEL_ERROR,
	    "no relay can be started on demand: the child process failed",
	    LOG_TEXT("error", strerror(errno)));
	return NULL;
}

bool
starter_has_ended(const struct starter *starter)
{
	return starter != NULL && waitpid(starter->pid, NULL, WNOHANG) != 0;
}

/* Sends without waiting: a full queue already holds a request. */
static void
ask(struct starter *starter, const char *program, const char *spool)
{
	size_t program_size = strlen(program) + 1;
	size_t spool_size = strlen(spool) + 1;
	struct message message;

	if (program_size > PATH_MAX_BYTES || spool_size > PATH_MAX_BYTES)
		return; /* no such path exists */
	memcpy(message.bytes, program, program_size);
	memcpy(message.bytes + program_size, spool, spool_size);
	message.len = program_size + spool_size;
	send(starter->fd, message.bytes, message.len,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
starter_wake(struct starter *starter, const struct config *config)
{
	bool is_on_demand = config->relay.is_on_demand;
	enum wake wake = wake_send(config->spool.path);
	int error = errno;

	if (wake == WAKE_SENT)
		return;
	if (starter == NULL) {
		if (wake == WAKE_FAILED)
			log_unwoken(error);
		return;
	}
	/* Cancel an earlier start that may still be waiting. */
	if (atomic_exchange(&starter->was_asked, is_on_demand) ||
	    is_on_demand || wake == WAKE_FAILED)
		ask(starter, is_on_demand ? config->relay.program : "",
		    config->spool.path);
}

void
starter_wake_alone(const struct config *config, const char *config_path)
{
	const char *program = config->relay.program;
	int error;

	switch (wake_send(config->spool.path)) {
	case WAKE_SENT:
		return;
	case WAKE_FAILED:
		log_unwoken(errno);
		return;
	case WAKE_NOBODY:
		break;
	}
	if (!config->relay.is_on_demand)
		return;
	error = spawn_relay(program, config_path);
	if (error != 0)
		log_failure(program, error);
}

void
starter_stop(struct starter *starter)
{
	if (starter == NULL)
		return;
	close(starter->fd);
	free(starter);
}
