/*
 * The configuration and the spool as the endpoint would find both now, even
 * broken: for subcommands that report faults instead of stopping at the first.
 */
#ifndef HOOKSPOOL_SITE_H
#define HOOKSPOOL_SITE_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "spool/spool.h"

struct site {
	struct config *config; /* for an endpoint that starts now; NULL: none */
	struct store *store;   /* open for reading; NULL: see the problems */

	/* Sentences; empty: no problem. */
	struct buf hidden;          /* no permission: who should run this;
				       then nothing else is known */
	struct buf config_problem;  /* no relay would start with the file */
	struct buf capture_problem; /* a notification would be answered 503 */
	struct buf store_problem;   /* the spool cannot be opened */
	bool is_kept; /* the file is bad; `config` is the last good one */

	bool has_summary;
	struct store_summary summary;
};

/* Examines everything, first as root, then as the spool's owner, whom the
 * process becomes for good. `option` is the argument of -c. Close with
 * site_close. */
void site_open(struct site *site, const char *option);
void site_close(struct site *site);

/* Returns false if this user may not read the configuration at `path`; `why`
 * says who should run this instead. */
bool site_check_reader(const char *path, struct buf *why);

/* Returns whether the spool is closed to a user who is not root, not the owner
 * and not the rightful owner: such a user learns nothing about the endpoint.
 * `why` says who should run this instead. */
bool site_is_hidden(const struct config *config, struct buf *why);

/* Returns whether the spool belongs to root although the configuration is for
 * another user. Appends the fault, and the command that corrects it. */
bool site_is_of_root(
    const struct config *config, struct buf *what, struct buf *fix);

/* Returns the configuration of an endpoint that starts now: the file at `path`,
 * or the last good one (`is_kept`). NULL with `why`: none. */
struct config *site_load_config(
    const char *path, bool *is_kept, struct buf *why);

#endif
