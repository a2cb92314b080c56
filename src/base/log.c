/*
 * The log: see log.h. One mutex guards the target. Lines are built before
 * locking, and nobody waits for a reader while holding the mutex.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/outlet.h"

#define LINE_MAX_BYTES  3840 /* with the head in PIPE_BUF: one whole write */
#define HEAD_MAX_BYTES  128
#define VALUE_MAX_BYTES 512

static struct {
	pthread_mutex_t mutex; /* guards program, format and outlet */
	const char *program;
	enum log_format format;
	struct outlet outlet;

	atomic_size_t dropped; /* lines since the last one written */
	atomic_int level;      /* higher levels are not written */
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER,
    .level = LOG_LEVEL_INFO,
    .program = "hookspool",
    .outlet = OUTLET_INIT};

/* The format of a line, taken when the line is begun. */
struct style {
	const char *program;
	enum log_format format;
	bool has_sink; /* goes to this thread's sink */
};

static _Thread_local struct {
	bool (*write)(void *arg, const char *line);
	void *arg;
} sink;

static const char *const level_names[] = {"error", "warning", "notice", "info"};
static const int level_priorities[] = {
    LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO};

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

/* Appends `value` in quotes, as a valid JSON string. Each byte outside
 * printable ASCII becomes \u00XX. Values are cut at VALUE_MAX_BYTES. */
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

	if (level < LOG_LEVEL_NOTICE)
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
add_json_line(struct buf *line, const char *program, enum log_level level,
    const char *message, const struct log_field *fields)
{
	char now[CLOCK_TEXT_SIZE];
	const struct log_field *f;

	buf_add_format(line,
	    "{\"time\":\"%s\",\"program\":\"%s\",\"level\":\"%s\",\"message\":",
	    clock_format(clock_wall_ms(), now), program, level_names[level]);
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

/* The head that syslog(3) writes: RFC 3164 without the host. */
static void
write_syslog_head(
    char *head, size_t size, enum log_level level, const char *program)
{
	time_t now_s = (time_t)(clock_wall_ms() / 1000);
	char stamp[32];
	struct tm now;

	localtime_r(&now_s, &now);
	strftime(stamp, sizeof stamp, "%b %e %T", &now);
	snprintf(head, size,
	    "<%d>%s %s[%ld]: ", LOG_DAEMON | level_priorities[level], stamp,
	    program, (long)getpid());
}

static void
write_head(char *head, size_t size, const struct style *style)
{
	char now[CLOCK_TEXT_SIZE];

	head[0] = '\0';
	if (style->format == LOG_FORMAT_TEXT)
		snprintf(head, size,
		    "%s %s[%ld]: ", clock_format(clock_wall_ms(), now),
		    style->program, (long)getpid());
}

/* Returns whether the line was written. */
static bool
write_line(const struct style *style, enum log_level level, const char *text)
{
	char head[HEAD_MAX_BYTES], syslog_head[HEAD_MAX_BYTES];
	struct outlet_line line = {head, syslog_head, text};
	bool is_written;

	if (style->has_sink)
		return sink.write(sink.arg, text);
	write_head(head, sizeof head, style);
	write_syslog_head(
	    syslog_head, sizeof syslog_head, level, style->program);
	pthread_mutex_lock(&state.mutex);
	is_written = outlet_write(&state.outlet, &line);
	pthread_mutex_unlock(&state.mutex);
	return is_written;
}

/* Returns whether the line was written. */
static bool
say(const struct style *style, enum log_level level, const char *message,
    const struct log_field *fields)
{
	struct buf line;
	bool is_written;

	buf_init(&line, LINE_MAX_BYTES);
	if (style->format == LOG_FORMAT_JSON)
		add_json_line(&line, style->program, level, message, fields);
	else
		add_text_line(&line, level, message, fields);
	is_written = write_line(style, level, buf_text(&line));
	buf_free(&line);
	return is_written;
}

/* Reports dropped lines, if any. Returns false if the report was dropped
 * too. */
static bool
say_dropped(const struct style *style)
{
	size_t dropped = atomic_exchange(&state.dropped, 0);
	const struct log_field fields[] = {
	    LOG_NUMBER("count", (long long)dropped), {.key = NULL}};

	if (dropped == 0 ||
	    say(style, LOG_LEVEL_WARN, "log lines were dropped", fields))
		return true;
	log_count_dropped(dropped);
	return false;
}

static struct style
current_style(void)
{
	struct style style;

	pthread_mutex_lock(&state.mutex);
	style = (struct style){
	    .program = state.program,
	    .format = state.format,
	    .has_sink =
		sink.write != NULL && state.outlet.target == LOG_TARGET_AUTO,
	};
	pthread_mutex_unlock(&state.mutex);
	return style;
}

void
log_write(
    enum log_level level, const char *message, const struct log_field *fields)
{
	int saved_errno = errno;
	struct style style;

	if ((int)level > state.level)
		return;
	style = current_style();
	if (!say_dropped(&style) || !say(&style, level, message, fields))
		log_count_dropped(1);
	errno = saved_errno;
}

void
log_count_dropped(size_t lines)
{
	atomic_fetch_add(&state.dropped, lines);
}

void
log_open(const char *program, enum log_target target, const char *path,
    enum log_format format)
{
	pthread_mutex_lock(&state.mutex);
	state.program = program;
	state.format = format;
	outlet_set(&state.outlet, target, path);
	pthread_mutex_unlock(&state.mutex);
}

void
log_set_level(enum log_level level)
{
	state.level = (int)level;
}

void
log_set_sink(bool (*write_line_to)(void *arg, const char *line), void *arg)
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
