/*
 * The configuration and the spool as the endpoint would find them now, also
 * where they are broken: for those who must say what is wrong rather than stop
 * at it.
 */
#ifndef HOOKSPOOL_SITE_H
#define HOOKSPOOL_SITE_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "spool/spool.h"

struct site {
	struct config *config; /* what an endpoint that starts now goes by;
				  NULL: it has none */
	struct store *store;   /* open for reading; NULL: see the problems */

	/* Sentences; empty where there is nothing of the kind. */
	struct buf hidden;          /* who should ask instead: the rest is not
				       known then */
	struct buf config_problem;  /* no relay would start with the file */
	struct buf capture_problem; /* a notification would be answered 503 */
	struct buf store_problem;   /* the spool could not be opened */
	bool is_kept; /* `config` is the last good one, the file being bad */

	bool has_summary;
	struct store_summary summary;
};

/* Looks at all of it, as root first and then as the owner of the spool, whom
 * the process becomes for good. `option` is that of -c. The caller closes it
 * with site_close. */
void site_open(struct site *site, const char *option);
void site_close(struct site *site);

/* False, with `why` who should run this instead, if this user may not read
 * the configuration at `path`. */
bool site_check_reader(const char *path, struct buf *why);

/* Whether the spool is closed to this user, who is neither root nor its owner
 * nor the one who should own it, and so sees nothing that concerns the
 * endpoint; `why` says who should run this instead. */
bool site_is_hidden(const struct config *config, struct buf *why);

/* Whether the spool belongs to root, but the configuration is there for another
 * user; appends what is wrong, and the command that ends it. */
bool site_is_of_root(
    const struct config *config, struct buf *what, struct buf *fix);

/* What an endpoint that starts now goes by: the file at `path`, or what was
 * kept of it when it was good last (`is_kept`). NULL, with `why`: nothing. */
struct config *site_load_config(
    const char *path, bool *is_kept, struct buf *why);

#endif
