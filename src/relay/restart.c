/*
 * Restarts the program: see restart.h. Finds the program by its name if called
 * by an absolute path, where a symbolic link may lead to a new version;
 * otherwise by the executed file.
 */
#include "config.h"

#include "relay/restart.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "relay/signals.h"

#define COMMAND_LINE_MAX_BYTES 65536
#define ARGUMENTS_MAX          64
#define WHY_MAX_BYTES          1024
#define DELETED                " (deleted)" /* appended by Linux */

struct command_line {
	char *bytes;
	char *argv[ARGUMENTS_MAX + 1];
};

/* Reads our own command line. Returns false with errno on failure. */
static bool
read_command_line(struct command_line *line)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	size_t len = 0, count = 0, at;
	ssize_t got = -1;

	line->bytes = xcalloc(1, COMMAND_LINE_MAX_BYTES + 1);
	while (fd >= 0 && len < COMMAND_LINE_MAX_BYTES &&
	       (got = read(
		    fd, line->bytes + len, COMMAND_LINE_MAX_BYTES - len)) > 0)
		len += (size_t)got;
	if (fd >= 0)
		close(fd);
	for (at = 0; at < len && count < ARGUMENTS_MAX; count++) {
		line->argv[count] = line->bytes + at;
		at += strlen(line->bytes + at) + 1;
	}
	line->argv[count] = NULL;
	if (got == 0 && at >= len && count > 0)
		return true;
	free(line->bytes);
	errno = got < 0 ? errno : E2BIG;
	return false;
}

/* Returns the program's path, for the caller to free. */
static char *
find_program(const struct command_line *line)
{
	char path[PATH_MAX];
	ssize_t len;
	char *tail;

	if (line->argv[0][0] == '/')
		return xstrdup(line->argv[0]);
	len = readlink("/proc/self/exe", path, sizeof path - 1);
	path[len > 0 ? len : 0] = '\0';
	tail = strstr(path, DELETED);
	if (tail != NULL && tail[strlen(DELETED)] == '\0')
		*tail = '\0';
	return xstrdup(path);
}

static bool
is_possible(const char *config_path, struct buf *why)
{
	struct config *config = config_load(config_path, CONFIG_ALL, why);
	struct command_line line;
	bool is_there;
	char *program;

	config_drop(config);
	if (config == NULL)
		return false;
	if (!read_command_line(&line)) {
		buf_add_format(why, "the command line cannot be read: %s",
		    strerror(errno));
		return false;
	}
	program = find_program(&line);
	is_there = access(program, X_OK) == 0;
	if (!is_there)
		buf_add_format(why, "%s: %s", program, strerror(errno));
	free(program);
	free(line.bytes);
	return is_there;
}

bool
restart_is_possible(const char *config_path)
{
	struct buf why;
	bool is_so;

	buf_init(&why, WHY_MAX_BYTES);
	is_so = is_possible(config_path, &why);
	if (!is_so)
		log_note(LOG_LEVEL_ERROR, "the relay cannot be restarted",
		    LOG_TEXT("reason", buf_text(&why)));
	buf_free(&why);
	return is_so;
}

static void
execute(void)
{
	struct command_line line;
	char *program;
	int error;

	if (!read_command_line(&line))
		return;
	program = find_program(&line);
	execv(program, line.argv);
	error = errno;
	free(program);
	free(line.bytes);
	errno = error;
}

void
restart_execute(void)
{
	signals_ignore_reload(); /* until the new program handles SIGHUP */
	execute();
	log_note(LOG_LEVEL_ERROR, "the relay cannot be restarted",
	    LOG_TEXT("error", strerror(errno)));
}
