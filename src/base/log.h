/*
 * The log: one line for each thing that happens, a sentence and fields, as
 * `message key=value ...` or as a JSON object. Text from strangers is escaped:
 * none of their control characters, newlines or bytes outside ASCII reach the
 * log. A log that cannot be written, or that nobody reads, stops nothing: lines
 * are dropped, and their number is logged before the next line that can be
 * written.
 */
#ifndef HOOKSPOOL_LOG_H
#define HOOKSPOOL_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR, /* needs attention */
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE, /* something changed, nothing is wrong */
	LOG_LEVEL_INFO    /* one line per event or delivery */
};

enum log_target {
	LOG_TARGET_AUTO, /* stderr; syslog where descriptor 2 is /dev/null */
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG,
	LOG_TARGET_FILE
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* A field: `text`, or `number` where `text` is NULL. */
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

/* Logs what happened. `message` is a constant sentence without values; LOG_TEXT
 * and LOG_NUMBER fields follow, the event's id first:
 *     log_note(LOG_LEVEL_INFO, "event captured", LOG_TEXT("id", id)); */
#define log_note(level, message, ...)                                          \
	log_write(level, message,                                              \
	    (const struct log_field[]){__VA_ARGS__, {.key = NULL}})
#define log_plain(level, message)                                              \
	log_write(level, message, (const struct log_field[]){{.key = NULL}})

void log_write(
    enum log_level level, const char *message, const struct log_field *fields);

/* Sets the target of all lines; before the first call, stderr as text.
 * Thread-safe against log_write. `program` appears in each line and is borrowed
 * for good. `path`, copied, is the file of LOG_TARGET_FILE. The file is opened
 * at the first line (created with 0640 if missing) and again after it was
 * renamed or removed. Lines go to syslog while the file cannot be opened.
 * Closes the previous target; the next line opens the new one. */
void log_open(const char *program, enum log_target target, const char *path,
    enum log_format format);

/* Writes only lines of `level` and the levels above; before the first call, all
 * lines. Thread-safe. */
void log_set_level(enum log_level level);

/* Sends this thread's lines to `sink` until called with NULL, if the target is
 * LOG_TARGET_AUTO. `sink` gets one whole line, NUL-terminated, without newline,
 * and returns false if it dropped the line. For the web server's error stream
 * during a request. */
void log_set_sink(bool (*sink)(void *arg, const char *line), void *arg);

/* Counts lines as dropped that a sink had accepted. */
void log_count_dropped(size_t lines);

/* Logs the message as an error and exits with `status`. For programs before
 * their loop only: nothing from the network may reach this call. */
void log_fatal(int status, const char *message, const struct log_field *fields)
    __attribute__((noreturn));
#define fatal(status, message, ...)                                            \
	log_fatal(status, message,                                             \
	    (const struct log_field[]){__VA_ARGS__, {.key = NULL}})

#endif
