/*
 * The log: one line for each thing that happened, a sentence and fields,
 * as `message key=value ...` or as a JSON object. Whatever a stranger sent
 * is escaped: no control character, no byte outside ASCII and no newline
 * of theirs ever reaches the log. A log that cannot be written, or that nobody
 * reads, stops nothing: the lines are dropped, and their number is logged
 * before the first line that can be written again.
 */
#ifndef HOOKSPOOL_LOG_H
#define HOOKSPOOL_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR, /* somebody should look */
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE, /* all is well, and something has changed */
	LOG_LEVEL_INFO    /* a line an event, or a delivery */
};

enum log_target {
	LOG_TARGET_AUTO, /* stderr; syslog where descriptor 2 is /dev/null */
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG,
	LOG_TARGET_FILE
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* A field: text where `text` is not NULL, else the number. */
struct log_field {
	const char *key; /* NULL ends a list */
	const char *text;
	long long number;
};

#define LOG_TEXT(key_, text_)                                                  \
	{                                                                      \
		.key = (key_), .text = (text_) != NULL ? (text_) : ""          \
	}
#define LOG_NUMBER(key_, number_)                                              \
	{                                                                      \
		.key = (key_), .number = (number_)                             \
	}

/* Says what happened: `message` is a constant sentence without values, the
 * rest are LOG_TEXT and LOG_NUMBER fields, the id of the event first:
 *     log_note(LOG_LEVEL_INFO, "event captured", LOG_TEXT("id", id)); */
#define log_note(level, message, ...)                                          \
	log_write(level, message,                                              \
	    (const struct log_field[]){__VA_ARGS__, {.key = NULL}})
#define log_plain(level, message)                                              \
	log_write(level, message, (const struct log_field[]){{.key = NULL}})

void log_write(
    enum log_level level, const char *message, const struct log_field *fields);

/* Sets where lines go. `program` names us in each line and is borrowed for
 * good; `path` is the file of LOG_TARGET_FILE, copied, opened (0640, made if
 * missing) at the first line, and opened anew when it was renamed or removed.
 * A file that cannot be opened: the lines go to syslog. What was open is
 * closed, and opened anew at the next line. Thread-safe against log_write.
 * Before the first call: stderr as text. */
void log_open(const char *program, enum log_target target, const char *path,
    enum log_format format);

/* Which lines are written: of this level and those before it. All, before the
 * first call. Thread-safe. */
void log_set_level(enum log_level level);

/* While set, this thread's lines go to `sink` instead when the target is
 * LOG_TARGET_AUTO: one whole line, NUL-terminated, without newline; false: it
 * was dropped. For the web server's error stream during a request. NULL ends
 * it. */
void log_set_sink(bool (*sink)(void *arg, const char *line), void *arg);

/* Counts lines as dropped that a sink has taken. */
void log_count_dropped(size_t lines);

/* Writes the message as an error and exits with `status`. Only for programs,
 * before their loop: nothing from the network may reach it. */
void log_fatal(int status, const char *message, const struct log_field *fields)
    __attribute__((noreturn));
#define fatal(status, message, ...)                                            \
	log_fatal(status, message,                                             \
	    (const struct log_field[]){__VA_ARGS__, {.key = NULL}})

#endif
