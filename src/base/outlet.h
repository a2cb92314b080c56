/*
 * Where whole lines go: standard error, a file or syslog. Never waits for a
 * reader: a pipe, socket or terminal that is not read costs the line and, once,
 * OUTLET_PATIENCE_MS. Knows nothing of what a line says. Not thread-safe.
 */
#ifndef HOOKSPOOL_OUTLET_H
#define HOOKSPOOL_OUTLET_H

#include <stdbool.h>

#include "base/log.h"

/* How long a line waits for room while the lines before it got through: a
 * burst fills what is read, too. */
#define OUTLET_PATIENCE_MS 100

/* A descriptor, and how to write to it without waiting. */
struct outlet_end {
	int fd; /* -1: not open */
	enum outlet_way {
		OUTLET_PLAIN,  /* write: it does not wait here */
		OUTLET_SOCKET, /* send with MSG_DONTWAIT */
		OUTLET_GUARDED /* write, broken off by an alarm */
	} way;
	bool is_owned;  /* to be closed by us */
	bool is_torn;   /* the last line was cut short */
	bool is_behind; /* the last line did not get through */
};

struct outlet {
	enum log_target target;
	char *path;             /* owned; of LOG_TARGET_FILE */
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

/* A line without its newline, and what stands before it. */
struct outlet_line {
	const char *head;        /* in a file and on standard error */
	const char *syslog_head; /* to syslog, as in RFC 3164 */
	const char *text;
};

/* Closes what is open and sends all further lines there; `path` is copied. */
void outlet_set(
    struct outlet *outlet, enum log_target target, const char *path);

/* Whether the line was written. */
bool outlet_write(struct outlet *outlet, const struct outlet_line *line);

/* The socket of syslog, until a test points elsewhere. */
extern const char *outlet_syslog_path;

#endif
