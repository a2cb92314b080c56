/*
 * hookspool backup: writes a consistent copy of the spool while everything
 * runs.
 */
#include "config.h"

#include <stdio.h>
#include <sys/stat.h>

#include "command/command.h"
#include "json/write.h"
#include "command/print.h"
#include "command/progress.h"
#include "spool/spool.h"

enum { OPTION_JSON };

static const struct option_row backup_options[] = {
    [OPTION_JSON] = {"json", NULL, "print one JSON document"}, {.name = NULL}};

static bool
show(void *arg, int64_t written_bytes, int64_t total_bytes)
{
	(void)total_bytes;
	return progress_show(arg, written_bytes / 1024);
}

static void
print_text(const char *path, int64_t bytes)
{
	struct buf size;

	buf_init(&size, 64);
	print_add_size(&size, bytes);
	print_safe(path);
	printf(" was written (%s)\n", buf_text(&size));
	buf_free(&size);
}

static void
print_json(const char *path, int64_t bytes)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_text(&out, "file", path);
	jsonout_number(&out, "size_bytes", bytes);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

static int
run_backup(struct call *call)
{
	const char *path = call->operands[0];
	struct progress progress;
	enum store_status status;
	struct stat st;

	progress_begin(&progress, "KiB");
	status = store_backup(call->store, path, show, &progress);
	progress_end(&progress);
	if (status != STORE_OK)
		return command_fail("%s", store_why(call->store));
	if (stat(path, &st) != 0)
		st.st_size = 0;
	if (call->values[OPTION_JSON] != NULL)
		print_json(path, (int64_t)st.st_size);
	else
		print_text(path, (int64_t)st.st_size);
	return STATUS_FINE;
}

const struct command command_backup = {.name = "backup",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .needs = NEEDS_STORE,
    .options = backup_options,
    .run = run_backup,
    .summary = "write a consistent copy of the spool"};
