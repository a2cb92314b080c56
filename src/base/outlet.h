/*
 * Writes whole lines to standard error, a file or syslog, and never waits for a
 * reader. An unread pipe, socket or terminal costs the line and, once,
 * OUTLET_PATIENCE_MS. Not thread-safe.
 */
#ifndef HOOKSPOOL_OUTLET_H
#define HOOKSPOOL_OUTLET_H

#include <stdbool.h>

#include "base/log.h"

/* How long a line waits for room while the previous line was written. A burst
 * may fill even a pipe that is being read. */
#define OUTLET_PATIENCE_MS 100

/* A descriptor, and the way to write to it without waiting. */
struct outlet_end {
	int fd; /* -1: not open */
	enum outlet_way {
		OUTLET_PLAIN,  /* write; never waits here */
		OUTLET_SOCKET, /* send with MSG_DONTWAIT */
		OUTLET_GUARDED /* write, interrupted by an alarm */
	} way;
	bool is_owned;  /* closed by us */
	bool is_torn;   /* the last line was cut short */
	bool is_behind; /* the last line was not written */
};

struct outlet {
	enum log_target target;
	char *path;             /* owned; for LOG_TARGET_FILE */
	bool is_null;           /* standard error is /dev/null or closed */
	struct outlet_end main; /* standard error or the file */
	struct outlet_end syslog;
};

#define OUTLET_INIT                                                            \
	{                                                                      \
		.target = LOG_TARGET_AUTO, .main = {.fd = -1}, .syslog = {     \
			.fd = -1                                               \
		}                                                              \
	}

/* A line without newline, and its two possible heads. */
struct outlet_line {
	const char *head;        /* for files and standard error */
	const char *syslog_head; /* for syslog, as in RFC 3164 */
	const char *text;
};

/* Closes the current target and sends all further lines to the new one. Copies
 * `path`. */
void outlet_set(
    struct outlet *outlet, enum log_target target, const char *path);

/* Returns whether the line was written. */
bool outlet_write(struct outlet *outlet, const struct outlet_line *line);

/* Path of syslog's socket; a test sets another. */
extern const char *outlet_syslog_path;

#endif
