/*
 * What the subcommands share: how one is described, what it is called with,
 * and its exit statuses. main.c has the table; each subcommand is one file.
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
	STATUS_WRONG = 1, /* found wrong, or could not be done */
	STATUS_USAGE = 2,
	STATUS_UNKNOWN = 3 /* a monitoring plugin cannot tell */
};

#define OPTIONS_MAX   24
#define WHY_MAX_BYTES 16384

/* An option of a subcommand; a row without a name ends their table. */
struct option_row {
	const char *name;  /* without -- */
	const char *value; /* what its value is called; NULL: it has none */
	const char *help;
};

/* What main does for a subcommand before it runs. Each row asks for one. */
enum command_needs {
	NEEDS_NOTHING,
	NEEDS_CONFIG, /* all of it, and to be the spool's owner */
	NEEDS_SPOOL,  /* the endpoint's sections, and to be the owner */
	NEEDS_STORE,  /* the endpoint's sections, to be the spool's owner, and
			 the spool open for reading */
	NEEDS_CHANGE, /* the same, and the spool open for changes */
	NEEDS_ALL     /* all of the configuration as well */
};

struct call;

struct command {
	const char *name;
	const char *operands; /* as usage shows them; "": there are none */
	int operands_min;
	int operands_max; /* -1: any number */
	enum command_needs needs;
	const struct option_row *options;
	int (*read)(struct call *call); /* before the configuration is read:
					   whether what it was called with is
					   right; NULL: always */
	int (*run)(struct call *call);
	const char *summary;
};

/* A subcommand as it was called, and what main prepared. All borrowed. */
struct call {
	const struct command *command;
	const struct command *commands;  /* all; one without a name ends them */
	const char *config_option;       /* of -c; NULL: not given */
	const char *values[OPTIONS_MAX]; /* by the row of the option; NULL: not
					    given; "": given, has no value */
	char **operands;                 /* ends with NULL */
	struct list_filter filter;       /* what `read` made of them */
	char user[64];                   /* who called it, root's or another's
					    name */
	enum command_needs needs;        /* of the command, unless `read` has
					    changed that */
	struct config *config;           /* unless it needs nothing */
	struct store *store;             /* if it needs it */
};

/* The subcommands. Each returns the exit status. */
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

/* What their rows have to read beforehand. */
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

/* Says on stderr what is wrong, made safe for a terminal. STATUS_WRONG. */
int command_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same before it could run; where it was called as a plugin, as such:
 * STATUS_WRONG or STATUS_UNKNOWN. */
int command_refuse(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, and where help is. STATUS_USAGE or STATUS_UNKNOWN. */
int command_misuse(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether it was called as a monitoring plugin (status --warn, --crit). */
bool status_is_plugin(const struct call *call);

/* As root: becomes the owner and group of the spool folder, for good, with
 * no other group. False, with `why`, if there is no folder or it failed. As
 * anybody else, it does nothing. */
bool owner_become(const char *folder, struct buf *why);

#endif
