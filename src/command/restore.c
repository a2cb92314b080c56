/*
 * hookspool restore: replaces the spool by a copy from `hookspool backup`.
 * Opens the copy before giving up root, because only root may be able to read
 * its folder.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "command/command.h"
#include "json/write.h"
#include "command/print.h"
#include "command/progress.h"
#include "conf/conf.h"
#include "spool/spool.h"

enum { OPTION_JSON };

static const struct option_row restore_options[] = {
    [OPTION_JSON] = {"json", NULL, "print one JSON document"}, {.name = NULL}};

static bool
show(void *arg, int64_t copied_bytes, int64_t total_bytes)
{
	(void)total_bytes;
	return progress_show(arg, copied_bytes / 1024);
}

static bool
open_copy(struct store_restore *restore, struct buf *why)
{
	char *wal = xasprintf("%s-wal", restore->from);
	struct stat st;

	restore->fd = open(restore->from, O_RDONLY | O_CLOEXEC);
	restore->wal_fd = open(wal, O_RDONLY | O_CLOEXEC);
	free(wal);
	if (restore->fd >= 0 && fstat(restore->fd, &st) == 0 &&
	    S_ISREG(st.st_mode))
		return true;
	buf_add_format(why, "%s: %s", restore->from,
	    restore->fd < 0 ? strerror(errno) : "this is not a regular file");
	return false;
}

static enum store_status
put_in_place(struct call *call, struct store_restore *restore, struct buf *why)
{
	struct progress progress;
	enum store_status status;
	char *path = config_find(call->config_option);

	call->config = config_load(path, CONFIG_ENDPOINT, why);
	free(path);
	if (call->config == NULL ||
	    !owner_become(call->config->spool.path, why))
		return STORE_REFUSED;
	restore->path = call->config->spool.path;
	restore->progress = show;
	restore->arg = &progress;
	progress_begin(&progress, "KiB");
	status = store_restore(restore, why);
	progress_end(&progress);
	return status;
}

static void
print_text(const struct store_restore *restore)
{
	print_safe(restore->from);
	printf(" was restored to ");
	print_safe(restore->path);
	printf(", %lld %s\n", (long long)restore->events,
	    restore->events == 1 ? "event" : "events");
	if (restore->kept != NULL) {
		printf("the old spool was kept as ");
		print_safe(restore->kept);
		puts("\nRemove that file, and the one beside it with -wal, "
		     "when you need nothing in it any more: `hookspool erase` "
		     "does not look there.");
	}
	puts("Events that were delivered after the copy was made are delivered "
	     "again; events that were erased after that are back.\nStart the "
	     "relay and the web server, then run: hookspool check");
}

static void
print_json(const struct store_restore *restore)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_text(&out, "file", restore->from);
	jsonout_text(&out, "spool", restore->path);
	jsonout_number(&out, "events", restore->events);
	jsonout_number(&out, "schema_version", restore->schema_version);
	jsonout_text(&out, "old_file", restore->kept);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

static int
run_restore(struct call *call)
{
	struct store_restore restore = {
	    .from = call->operands[0], .fd = -1, .wal_fd = -1};
	int status = STATUS_FINE;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	if (!open_copy(&restore, &why) ||
	    put_in_place(call, &restore, &why) != STORE_OK)
		status = command_fail("%s", buf_text(&why));
	else if (call->values[OPTION_JSON] != NULL)
		print_json(&restore);
	else
		print_text(&restore);
	if (restore.wal_fd >= 0)
		close(restore.wal_fd);
	if (restore.fd >= 0)
		close(restore.fd);
	free(restore.kept);
	buf_free(&why);
	return status;
}

const struct command command_restore = {.name = "restore",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .options = restore_options,
    .run = run_restore,
    .summary = "replace the spool by such a copy"};
