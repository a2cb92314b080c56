/*
 * Subcommands: description, call and exit statuses. main.c has the table; each
 * subcommand is one file.
 */
#ifndef HOOKSPOOL_COMMAND_H
#define HOOKSPOOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "spool/spool.h"

struct config;

enum {
	STATUS_FINE = 0,
	STATUS_WRONG = 1, /* something is wrong, or the work failed */
	STATUS_USAGE = 2,
	STATUS_UNKNOWN = 3 /* for a monitoring plugin: state unknown */
};

#define OPTIONS_MAX   24
#define WHY_MAX_BYTES 16384

/* An option of a subcommand. A row without a name ends the table. */
struct option_row {
	const char *name;  /* without -- */
	const char *value; /* name of the value; NULL: takes none */
	const char *help;
};

/* Preparations by main before a subcommand runs. Each row names one. */
enum command_needs {
	NEEDS_NOTHING,
	NEEDS_CONFIG, /* the whole configuration; runs as the spool's owner */
	NEEDS_SPOOL,  /* the endpoint's sections; runs as the spool's owner */
	NEEDS_STORE,  /* like NEEDS_SPOOL, and the spool open for reading */
	NEEDS_CHANGE, /* like NEEDS_SPOOL, and the spool open for changes */
	NEEDS_ALL     /* like NEEDS_CHANGE, with the whole configuration */
};

struct call;

struct command {
	const char *name;
	const char *operands; /* for the usage line; "": none */
	int operands_min;
	int operands_max; /* -1: any number */
	enum command_needs needs;
	const struct option_row *options;
	int (*read)(struct call *call); /* checks the arguments before the
					   configuration is read; NULL:
					   nothing to check */
	int (*run)(struct call *call);
	const char *summary;
	/* Whether monitoring calls, so that errors are said as by a plugin.
	 * NULL: never. */
	bool (*is_plugin)(const struct call *call);
};

/* A call of a subcommand, and what main prepared. All borrowed. */
struct call {
	const struct command *command;
	const struct command *const *commands; /* all; NULL ends them */
	const char *config_option;       /* argument of -c; NULL: not given */
	const char *values[OPTIONS_MAX]; /* by the option's row; NULL: not
					    given; "": given, takes no value */
	char **operands;                 /* ends with NULL */
	struct list_filter filter;       /* set by `read` */
	char user[64];                   /* name of the calling user, even
					    behind sudo */
	enum command_needs needs;        /* the command's, unless changed by
					    `read` */
	struct config *config;           /* NULL for NEEDS_NOTHING */
	struct store *store;             /* open if the command needs the
					    store */
};

/* The rows of the subcommands, each in the file of its own. */
extern const struct command command_init;
extern const struct command command_check;
extern const struct command command_relay;
extern const struct command command_status;
extern const struct command command_list;
extern const struct command command_show;
extern const struct command command_probe;
extern const struct command command_send;
extern const struct command command_refused;
extern const struct command command_replay;
extern const struct command command_drop;
extern const struct command command_pause;
extern const struct command command_resume;
extern const struct command command_reload;
extern const struct command command_stop;
extern const struct command command_erase;
extern const struct command command_forget;
extern const struct command command_export;
extern const struct command command_backup;
extern const struct command command_restore;
extern const struct command command_migrate;
extern const struct command command_completion;

/* Prints an error on stderr, made safe for a terminal. Returns STATUS_WRONG. */
int command_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints an error before the work begins; to a monitoring system as a plugin's
 * line. Returns STATUS_WRONG or STATUS_UNKNOWN. */
int command_refuse(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints an error like command_refuse, and how to get help. Returns
 * STATUS_USAGE or STATUS_UNKNOWN. */
int command_misuse(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As root: becomes the spool folder's owner and group for good, with no other
 * group. Returns false with `why` if there is no folder or the change failed.
 * As another user: does nothing. */
bool owner_become(const char *folder, struct buf *why);

#endif
