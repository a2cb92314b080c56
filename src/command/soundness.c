/*
 * Checks the spool: see soundness.h.
 */
#include "config.h"

#include "command/soundness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/user.h"
#include "base/xalloc.h"
#include "command/command.h"
#include "command/print.h"
#include "command/report.h"
#include "command/site.h"
#include "conf/conf.h"
#include "spool/spool.h"

#define WAL_LARGE_BYTES  (INT64_C(64) << 20)
#define DELIVERY_LATE_MS (INT64_C(5) * 60 * 1000)
#define LOOK_FOR_MS      3000 /* time to search for damage */
#define RECENT_COUNT     100  /* newest events checked for destinations */
#define RECENT_MIN_COUNT 10   /* fewer tell nothing */

static void
report_missing(struct report *report, const char *path)
{
	char *what = xasprintf("%s: %s", path, strerror(errno));

	report_wrong(report, "spool", what,
	    "mount its file system, or create the spool with: hookspool init");
	free(what);
}

static void
report_owner(struct report *report, const char *path, const struct stat *st)
{
	char *user = user_name_dup(st->st_uid);
	char *group = group_name_dup(st->st_gid);
	char *what =
	    xasprintf("%s belongs to root; does root run the endpoint?", path);

	report_fine(report, "spool", "%s, mode %04o, of %s:%s", path,
	    (unsigned)st->st_mode & 07777, user, group);
	if (st->st_uid == 0)
		report_warning(report, "spool", what,
		    "if %s runs the endpoint: chown -R %s %s", WEB_USER,
		    WEB_USER, path);
	free(what);
	free(group);
	free(user);
}

/* Returns false if the spool wrongly belongs to root. */
static bool
check_of_root(struct report *report, const struct config *config)
{
	struct buf what, fix;
	bool is_of_root;

	buf_init(&what, WHY_MAX_BYTES);
	buf_init(&fix, WHY_MAX_BYTES);
	is_of_root = site_is_of_root(config, &what, &fix);
	if (is_of_root)
		report_wrong(
		    report, "spool", buf_text(&what), "%s", buf_text(&fix));
	buf_free(&fix);
	buf_free(&what);
	return !is_of_root;
}

bool
soundness_check_folder(struct report *report, const struct config *config)
{
	const char *path = config->spool.path;
	struct store_fault *faults;
	size_t count, i;
	struct stat st;

	if (stat(path, &st) != 0) {
		report_missing(report, path);
		return false;
	}
	store_find_faults(path, &faults, &count);
	for (i = 0; i < count; i++)
		report_wrong(
		    report, "spool", faults[i].what, "%s", faults[i].fix);
	store_free_faults(faults, count);
	if (count > 0 || !check_of_root(report, config))
		return false;
	report_owner(report, path, &st);
	return true;
}

static void
check_size(struct report *report, const struct spool_config *spool,
    const struct store_summary *summary)
{
	struct buf text;

	buf_init(&text, 512);
	buf_add_text(&text, "the spool has ");
	print_add_size(&text, summary->size_bytes);
	buf_add_text(&text, ", free on its disk are ");
	print_add_size(&text, summary->free_bytes);
	if (summary->free_bytes < spool->min_free_bytes)
		report_wrong(report, "space", buf_text(&text),
		    "free some space (df -h %s; hookspool erase --before 30d), "
		    "or lower min_free in [spool]; with less space "
		    "notifications are answered 503",
		    spool->path);
	else if (spool->max_size_bytes > 0 &&
		 summary->size_bytes > spool->max_size_bytes)
		report_wrong(report, "space", buf_text(&text),
		    "raise max_size in [spool]; above it notifications are "
		    "answered 503");
	else
		report_fine(report, "space", "%s", buf_text(&text));
	if (summary->wal_bytes > WAL_LARGE_BYTES) {
		buf_clear(&text);
		buf_add_text(&text, "the write-ahead log has grown to ");
		print_add_size(&text, summary->wal_bytes);
		report_wrong(report, "space", buf_text(&text),
		    "end the program that has been reading the spool for long "
		    "(a backup, sqlite3): until then the log cannot shrink");
	}
	buf_free(&text);
}

/* Returns whether deliveries have long been due and no relay takes them. */
static bool
is_late(const struct store_summary *summary, int64_t now_ms)
{
	size_t i;

	if (summary->events_new > 0 && summary->oldest_undelivered_ms != 0 &&
	    now_ms - summary->oldest_undelivered_ms > DELIVERY_LATE_MS)
		return true;
	for (i = 0; i < summary->destination_count; i++) {
		const struct destination *d = &summary->destinations[i];

		if (d->is_configured && d->pending > 0 &&
		    now_ms - d->next_at_ms > DELIVERY_LATE_MS)
			return true;
	}
	return false;
}

static void
report_running(struct report *report, const struct relay_holder *relay)
{
	char *what;

	if (relay->version[0] == '\0' ||
	    strverscmp(relay->version, PACKAGE_VERSION) >= 0) {
		report_fine(report, "relay", "running");
		return;
	}
	what = xasprintf("the relay that runs (pid %lld) is version %s, and "
			 "this is " PACKAGE_VERSION,
	    (long long)relay->pid, relay->version);
	report_warning(report, "relay", what, "hookspool reload --restart");
	free(what);
}

static void
check_relay(struct report *report, const struct relay_config *relay,
    const struct store_summary *summary)
{
	bool is_overdue = is_late(summary, clock_wall_ms());

	if (summary->is_relay_running)
		report_running(report, &summary->relay);
	else if (!relay->is_on_demand)
		report_wrong(report, "relay",
		    "not running, and the endpoint does not start it (start = "
		    "never)",
		    "systemctl enable --now hookspool-relay, or set start = "
		    "on-demand in [relay]");
	else if (is_overdue)
		report_wrong(report, "relay",
		    "not running, although deliveries have been due for "
		    "minutes",
		    "hookspool relay --if-pending; let a timer do that, see "
		    "hookspool(8)");
	else
		report_fine(report, "relay",
		    "not running; the endpoint starts it when there is a "
		    "delivery to make");
}

/* Returns what to do about a spool that does not open. */
static const char *
advice(enum store_status status)
{
	switch (status) {
	case STORE_MISSING:
		return "mount its file system, or create the spool with: "
		       "hookspool init";
	case STORE_TOO_OLD:
		return "hookspool migrate";
	case STORE_TOO_NEW:
		return "install the version of hookspool that wrote the spool, "
		       "or a later one";
	case STORE_BUSY:
		return "run this again; if that does not help, find out who "
		       "holds the lock: lslocks";
	case STORE_FULL:
		return "free some space (df -h; hookspool erase --before "
		       "30d)";
	case STORE_OK:
	case STORE_FAILED:
	case STORE_REFUSED:
	case STORE_GONE:
		break;
	}
	return "look for disk errors (dmesg); if the database is damaged, "
	       "restore a backup: hookspool restore FILE";
}

/* Tries a capture as the endpoint would, and a sync. */
static void
check_capture(
    struct report *report, const struct config *config, struct store *store)
{
	char *user = user_name_dup(geteuid());
	enum store_status status =
	    store_try_capture(store, config->endpoint.capture_timeout_ms);

	if (status == STORE_OK)
		status = store_try_sync(store);
	if (status == STORE_OK)
		report_fine(
		    report, "capture", "works as %s: tried and undone", user);
	else
		report_wrong(
		    report, "capture", store_why(store), "%s", advice(status));
	free(user);
}

static void
check_damage(struct report *report, struct store *store)
{
	if (store_look_for_damage(store, LOOK_FOR_MS) != STORE_OK)
		report_wrong(report, "database", store_why(store), "%s",
		    advice(STORE_FAILED));
}

/* Warns of filters that match nothing, which cause no failure and so would
 * never be noticed. */
static void
check_wanted(
    struct report *report, const struct config *config, struct store *store)
{
	int64_t count = 0, unwanted = 0;
	char *what;

	if (config->destination_count == 0 ||
	    store_count_unwanted(store, RECENT_COUNT, &count, &unwanted) !=
		STORE_OK ||
	    count < RECENT_MIN_COUNT || unwanted * 2 < count)
		return;
	what =
	    xasprintf("%lld of the newest %lld events matched no destination",
		(long long)unwanted, (long long)count);
	report_warning(report, "events", what,
	    "compare events and community of the destinations in %s with what "
	    "`hookspool list` shows",
	    config->path);
	free(what);
}

static void
check_summary(
    struct report *report, const struct config *config, struct store *store)
{
	struct store_summary summary;

	if (store_summarize(store, clock_wall_ms(), &summary) != STORE_OK) {
		report_wrong(report, "database", store_why(store), "%s",
		    advice(STORE_FAILED));
		return;
	}
	if (summary.has_failure_mark)
		report_wrong(report, "spool", "a sync of the spool has failed",
		    "look for disk errors in the kernel's log (dmesg); the "
		    "next process that writes recovers the spool");
	check_size(report, &config->spool, &summary);
	check_relay(report, &config->relay, &summary);
	store_free_summary(&summary);
}

void
soundness_check_store(struct report *report, const struct config *config)
{
	const struct store_options options =
	    store_options_for(&config->spool, STORE_READ);
	struct store *store = NULL;
	enum store_status status;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	status = store_open(&options, &store, &why);
	if (status != STORE_OK) {
		report_wrong(
		    report, "spool", buf_text(&why), "%s", advice(status));
	} else {
		check_damage(report, store);
		check_capture(report, config, store);
		check_summary(report, config, store);
		check_wanted(report, config, store);
	}
	store_close(store);
	buf_free(&why);
}
