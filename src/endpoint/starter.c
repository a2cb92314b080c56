/*
 * The starter: see starter.h. A message to it is the program to start, for
 * the configuration may come to name another one. Its end of the socket reads
 * as ended when we are gone, however we went.
 */
#include "config.h"

#include "endpoint/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "endpoint/spawn.h"
#include "spool/wake.h"

#define START_EVERY_MS    1000
#define COMPLAIN_EVERY_MS 60000
#define PROGRAM_MAX_BYTES 4096
#define STARTER_FD        3 /* the socket, in the starter */

struct starter {
	int fd;                 /* our end */
	atomic_bool is_missing; /* it has ended, and that was logged */
};

/* What the starter itself knows. */
struct starts {
	const char *config_path;
	char program[PROGRAM_MAX_BYTES]; /* empty: none is asked for */
	int64_t next_at_ms;              /* not before */
	int64_t complain_at_ms;          /* not before */
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
start_relay(struct starts *starts)
{
	int64_t now_ms = clock_mono_ms();
	int error = spawn_relay(starts->program, starts->config_path);

	starts->next_at_ms = now_ms + START_EVERY_MS;
	if (error != 0 && now_ms >= starts->complain_at_ms) {
		log_failure(starts->program, error);
		starts->complain_at_ms = now_ms + COMPLAIN_EVERY_MS;
	}
	starts->program[0] = '\0';
}

/* How long to wait for the next message; -1: for ever. */
static int
wait_ms(const struct starts *starts)
{
	int64_t left_ms = starts->next_at_ms - clock_mono_ms();

	if (starts->program[0] == '\0')
		return -1;
	return left_ms > 0 ? (int)left_ms : 0;
}

/* Takes one message; false if there will be no more. */
static bool
take_message(int fd, struct starts *starts)
{
	char program[PROGRAM_MAX_BYTES];
	ssize_t got = recv(fd, program, sizeof program - 1, MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	if (got == 0)
		return false;
	memcpy(starts->program, program, (size_t)got);
	starts->program[got] = '\0';
	return true;
}

/* The whole life of the starter. What is asked for when we end is started. */
static void
run(int fd, const char *config_path)
{
	struct starts starts = {.config_path = config_path};
	struct pollfd socket = {.fd = fd, .events = POLLIN};
	bool goes_on = true;

	while (goes_on) {
		if (poll(&socket, 1, wait_ms(&starts)) > 0)
			goes_on = take_message(fd, &starts);
		if (starts.program[0] != '\0' &&
		    (!goes_on || wait_ms(&starts) == 0))
			start_relay(&starts);
	}
}

/* A web server that ends its whole process group must not end the starter
 * before its parent has finished. */
static void
ignore_signals(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* relays leave no zombies */
}

/* Lets go of all descriptors but the socket, which gets its number here, and
 * standard error, for the log. Whether that was possible. */
static bool
shed(int fd, const struct log_config *log)
{
	static const struct log_config by_default = {
	    .target = LOG_TARGET_AUTO, .format = LOG_FORMAT_TEXT};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* What the log has open is closed below: it must open it anew. */
	if (log == NULL)
		log = &by_default;
	log_open("hookspool.fcgi", log->target, log->path, log->format);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
	    dup2(null_fd, STDOUT_FILENO) < 0 ||
	    (fd != STARTER_FD && dup2(fd, STARTER_FD) < 0))
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
	return starter;
failed:
	log_note(LOG_LEVEL_ERROR,
	    "no relay will be started on demand: no child process",
	    LOG_TEXT("error", strerror(errno)));
	return NULL;
}

static const char *
program_of(const struct relay_config *relay)
{
	return relay->program != NULL ? relay->program : BINDIR "/hookspool";
}

/* Whether nobody listens, and somebody is to be started. */
static bool
must_start(const struct config *config)
{
	switch (wake_send(config->spool.path)) {
	case WAKE_SENT:
		return false;
	case WAKE_NOBODY:
		return config->relay.is_on_demand;
	case WAKE_FAILED:
		log_note(LOG_LEVEL_WARN, "the relay cannot be woken",
		    LOG_TEXT("error", strerror(errno)));
		return false;
	}
	return false;
}

void
starter_wake(struct starter *starter, const struct config *config)
{
	const char *program;

	if (!must_start(config) || starter == NULL)
		return;
	program = program_of(&config->relay);
	if (send(starter->fd, program, strlen(program),
		MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	    errno == EAGAIN) /* a full queue will do as well */
		return;
	if (!atomic_exchange(&starter->is_missing, true))
		log_note(LOG_LEVEL_ERROR,
		    "no relay is started on demand any more: the starter is "
		    "gone, restart this process",
		    LOG_TEXT("error", strerror(errno)));
}

void
starter_wake_alone(const struct config *config, const char *config_path)
{
	const char *program;
	int error;

	if (!must_start(config))
		return;
	program = program_of(&config->relay);
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
