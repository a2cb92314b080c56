/*
 * hookspool migrate: converts a spool of an older version to this one, instead
 * of leaving that to the relay.
 */
#include "config.h"

#include <stdio.h>

#include "command/command.h"
#include "json/write.h"
#include "command/print.h"
#include "conf/conf.h"
#include "spool/spool.h"

enum { OPTION_JSON };

static const struct option_row migrate_options[] = {
    [OPTION_JSON] = {"json", NULL, "print one JSON document"}, {.name = NULL}};

static enum store_status
open_for(enum store_access access, struct call *call, struct buf *why)
{
	const struct store_options options =
	    store_options_for(&call->config->spool, access);

	return store_open(&options, &call->store, why);
}

/* Sets `is_migrated` if the spool was older. */
static enum store_status
migrate(struct call *call, bool *is_migrated, struct buf *why)
{
	enum store_status status = open_for(STORE_READ, call, why);

	*is_migrated = status == STORE_TOO_OLD;
	return *is_migrated ? open_for(STORE_RELAY, call, why) : status;
}

static void
print_json(bool is_migrated, int version)
{
	struct jsonout out = {.needs_comma = false};

	jsonout_open(&out, NULL, '{');
	jsonout_bool(&out, "migrated", is_migrated);
	jsonout_number(&out, "schema_version", version);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

static int
run_migrate(struct call *call)
{
	struct store_summary summary;
	bool is_migrated;
	struct buf why;

	buf_init(&why, WHY_MAX_BYTES);
	if (migrate(call, &is_migrated, &why) != STORE_OK) {
		command_fail("%s", buf_text(&why));
		buf_free(&why);
		return STATUS_WRONG;
	}
	buf_free(&why);
	if (store_summarize(call->store, 0, &summary) != STORE_OK)
		return command_fail("%s", store_why(call->store));
	if (call->values[OPTION_JSON] != NULL) {
		print_json(is_migrated, summary.schema_version);
	} else {
		print_safe(call->config->spool.path);
		printf(is_migrated ? " was migrated to schema %d\n"
				   : " has schema %d already: nothing to do\n",
		    summary.schema_version);
	}
	store_free_summary(&summary);
	return STATUS_FINE;
}

const struct command command_migrate = {.name = "migrate",
    .operands = "",
    .needs = NEEDS_SPOOL,
    .options = migrate_options,
    .run = run_migrate,
    .summary = "convert the spool of an older version to this one"};
