/*
 * The log: see log.h. One mutex guards where lines go; a line is built
 * before it is taken.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define LINE_MAX_BYTES  4096
#define VALUE_MAX_BYTES 512

static struct {
	pthread_mutex_t mutex;
	const char *program;
	enum log_target target;
	enum log_format format;
	char *path; /* owned; of LOG_TARGET_FILE */
	int fd;     /* the open file, -1 before the first line */
} state = {
    .mutex = PTHREAD_MUTEX_INITIALIZER, .program = "hookspool", .fd = -1};

static _Thread_local struct {
	void (*write)(void *arg, const char *line);
	void *arg;
} sink;

static const char *const level_names[] = {"error", "warning", "info"};
static const int level_priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO};

static bool
needs_quotes(const char *value)
{
	const unsigned char *p;

	for (p = (const unsigned char *)value; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '\\' ||
		    *p == '=')
			return true;
	return p == (const unsigned char *)value;
}

/* Between quotes, so that it is a JSON string as well: each byte that is
 * not printable ASCII as \u00XX, at most VALUE_MAX_BYTES of the value. */
static void
add_quoted(struct buf *line, const char *value)
{
	size_t i, len = strnlen(value, VALUE_MAX_BYTES + 1);
	size_t shown = len > VALUE_MAX_BYTES ? VALUE_MAX_BYTES : len;

	buf_add_text(line, "\"");
	for (i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == '"' || c == '\\')
			buf_add_format(line, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			buf_add_format(line, "\\u%04x", c);
		else
			buf_add(line, &c, 1);
	}
	buf_add_text(line, len > shown ? "...\"" : "\"");
}

static void
add_text_line(struct buf *line, enum log_level level, const char *message,
    const struct log_field *fields)
{
	const struct log_field *f;

	if (level != LOG_LEVEL_INFO)
		buf_add_format(line, "%s: ", level_names[level]);
	buf_add_text(line, message);
	for (f = fields; f->key != NULL; f++) {
		buf_add_format(line, " %s=", f->key);
		if (f->text == NULL)
			buf_add_format(line, "%lld", f->number);
		else if (needs_quotes(f->text) ||
			 strlen(f->text) > VALUE_MAX_BYTES)
			add_quoted(line, f->text);
		else
			buf_add_text(line, f->text);
	}
}

static void
add_json_line(struct buf *line, enum log_level level, const char *message,
    const struct log_field *fields)
{
	char now[CLOCK_TEXT_SIZE];
	const struct log_field *f;

	buf_add_format(line,
	    "{\"time\":\"%s\",\"program\":\"%s\",\"level\":\"%s\",\"message\":",
	    clock_format(clock_wall_ms(), now), state.program,
	    level_names[level]);
	add_quoted(line, message);
	for (f = fields; f->key != NULL; f++) {
		buf_add_format(line, ",\"%s\":", f->key);
		if (f->text == NULL)
			buf_add_format(line, "%lld", f->number);
		else
			add_quoted(line, f->text);
	}
	buf_add_text(line, "}");
}

static bool
is_dev_null(int fd)
{
	struct stat open_one, null_one;

	if (fstat(fd, &open_one) != 0)
		return true; /* closed: nobody reads there either */
	return stat("/dev/null", &null_one) == 0 && S_ISCHR(open_one.st_mode) &&
	       open_one.st_rdev == null_one.st_rdev;
}

/* A rotated file is another one, or none, at the path. */
static void
reopen_if_rotated(void)
{
	struct stat open_one, at_path;

	if (state.fd >= 0 && fstat(state.fd, &open_one) == 0 &&
	    stat(state.path, &at_path) == 0 &&
	    open_one.st_ino == at_path.st_ino &&
	    open_one.st_dev == at_path.st_dev)
		return;
	if (state.fd >= 0)
		close(state.fd);
	state.fd = open(state.path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static void
write_syslog(enum log_level level, const char *line)
{
	openlog(state.program, LOG_PID, LOG_DAEMON);
	syslog(level_priorities[level], "%s", line);
}

static void
write_fd(int fd, const char *line)
{
	struct buf out;
	char now[CLOCK_TEXT_SIZE];
	ssize_t wrote;

	buf_init(&out, LINE_MAX_BYTES + 256);
	if (state.format == LOG_FORMAT_TEXT)
		buf_add_format(&out,
		    "%s %s[%ld]: ", clock_format(clock_wall_ms(), now),
		    state.program, (long)getpid());
	buf_add_text(&out, line);
	buf_add_text(&out, "\n");
	do {
		wrote = write(fd, out.data, out.len); /* one line, one write */
	} while (wrote < 0 && errno == EINTR);
	buf_free(&out);
}

static void
write_line(enum log_level level, const char *line)
{
	enum log_target target = state.target;

	if (target == LOG_TARGET_AUTO)
		target = is_dev_null(STDERR_FILENO) ? LOG_TARGET_SYSLOG
						    : LOG_TARGET_STDERR;
	if (target == LOG_TARGET_FILE) {
		reopen_if_rotated();
		if (state.fd < 0)
			target = LOG_TARGET_SYSLOG;
	}
	switch (target) {
	case LOG_TARGET_AUTO:
	case LOG_TARGET_STDERR:
		write_fd(STDERR_FILENO, line);
		break;
	case LOG_TARGET_SYSLOG:
		write_syslog(level, line);
		break;
	case LOG_TARGET_FILE:
		write_fd(state.fd, line);
		break;
	}
}

void
log_write(
    enum log_level level, const char *message, const struct log_field *fields)
{
	int saved_errno = errno;
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	pthread_mutex_lock(&state.mutex);
	if (state.format == LOG_FORMAT_JSON)
		add_json_line(&line, level, message, fields);
	else
		add_text_line(&line, level, message, fields);
	if (sink.write != NULL && state.target == LOG_TARGET_AUTO)
		sink.write(sink.arg, buf_text(&line));
	else
		write_line(level, buf_text(&line));
	pthread_mutex_unlock(&state.mutex);
	buf_free(&line);
	errno = saved_errno;
}

void
log_open(const char *program, enum log_target target, const char *path,
    enum log_format format)
{
	pthread_mutex_lock(&state.mutex);
	if (state.fd >= 0)
		close(state.fd);
	free(state.path);
	state.fd = -1;
	state.program = program;
	state.target = path == NULL && target == LOG_TARGET_FILE
			   ? LOG_TARGET_AUTO
			   : target;
	state.path = path != NULL ? xstrdup(path) : NULL;
	state.format = format;
	pthread_mutex_unlock(&state.mutex);
}

void
log_set_sink(void (*write_line_to)(void *arg, const char *line), void *arg)
{
	sink.write = write_line_to;
	sink.arg = arg;
}

void
log_fatal(int status, const char *message, const struct log_field *fields)
{
	log_write(LOG_LEVEL_ERROR, message, fields);
	exit(status);
}
