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
};

/* A call of a subcommand, and what main prepared. All borrowed. */
struct call {
	const struct command *command;
	const struct command *commands;  /* all; a row without a name ends
					    them */
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

/* Run the subcommands. Each returns the exit status. */
int command_init(struct call *call);
int command_check(struct call *call);
int command_relay(struct call *call);
int command_status(struct call *call);
int command_list(struct call *call);
int command_show(struct call *call);
int command_send(struct call *call);
int command_probe(struct call *call);
int command_refused(struct call *call);
int command_replay(struct call *call);
int command_drop(struct call *call);
int command_pause(struct call *call);
int command_resume(struct call *call);
int command_reload(struct call *call);
int command_stop(struct call *call);
int command_erase(struct call *call);
int command_forget(struct call *call);
int command_export(struct call *call);
int command_backup(struct call *call);
int command_restore(struct call *call);
int command_migrate(struct call *call);
int command_completion(struct call *call);

/* Check the subcommands' arguments: see `read`. */
int status_read(struct call *call);
int list_read(struct call *call);
int show_read(struct call *call);
int replay_read(struct call *call);
int drop_read(struct call *call);
int erase_read(struct call *call);
int export_read(struct call *call);
int refused_read(struct call *call);

extern const struct option_row init_options[];
extern const struct option_row check_options[];
extern const struct option_row relay_options[];
extern const struct option_row status_options[];
extern const struct option_row list_options[];
extern const struct option_row show_options[];
extern const struct option_row send_options[];
extern const struct option_row probe_options[];
extern const struct option_row refused_options[];
extern const struct option_row replay_options[];
extern const struct option_row drop_options[];
extern const struct option_row pause_options[];
extern const struct option_row resume_options[];
extern const struct option_row reload_options[];
extern const struct option_row stop_options[];
extern const struct option_row erase_options[];
extern const struct option_row forget_options[];
extern const struct option_row export_options[];
extern const struct option_row backup_options[];
extern const struct option_row restore_options[];
extern const struct option_row migrate_options[];
extern const struct option_row completion_options[];

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

/* Returns whether the call is a monitoring plugin's (status --warn, --crit). */
bool status_is_plugin(const struct call *call);

/* As root: becomes the spool folder's owner and group for good, with no other
 * group. Returns false with `why` if there is no folder or the change failed.
 * As another user: does nothing. */
bool owner_become(const char *folder, struct buf *why);

#endif
