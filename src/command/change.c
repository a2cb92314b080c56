/*
 * hookspool replay and drop: make deliveries pending again, or give them up,
 * for one event or for all that match.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "command/command.h"
#include "command/filter.h"
#include "json/write.h"
#include "command/kept_back.h"
#include "command/names.h"
#include "command/nudge.h"
#include "command/progress.h"
#include "conf/conf.h"
#include "conf/match.h"
#include "spool/spool.h"

enum {
	OPTION_ALL = FILTER_COUNT,
	OPTION_DRY_RUN,
	OPTION_JSON,
	OPTION_FROM /* of replay only */
};

/* clang-format off */
static const struct option_row replay_options[] = {
    FILTER_ROWS("pending, delivered, dead, dropped; with --from and --to also orphaned [dead]",
	"to this destination; without --state, also events that have no delivery to it",
	"at most COUNT deliveries, oldest first; 0 is all [0]"),
    [OPTION_ALL] = {"all", NULL, "all dead deliveries; with --to, all events"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "count, and change nothing"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    [OPTION_FROM] = {"from", "NAME", "deliveries of this destination"},
    {.name = NULL}};

static const struct option_row drop_options[] = {
    FILTER_ROWS("pending, orphaned or dead [pending and orphaned]",
	"to this destination",
	"at most COUNT deliveries, oldest first; 0 is all [0]"),
    [OPTION_ALL] = {"all", NULL, "all deliveries that are pending or orphaned"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "count, and change nothing"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};
/* clang-format on */

/* ---- which deliveries ---- */

static int
read_which(struct call *call, bool is_chosen)
{
	int status = filter_read(call, 0);

	if (status != STATUS_FINE || is_chosen || call->operands[0] != NULL ||
	    call->values[OPTION_ALL] != NULL)
		return status;
	return command_misuse(call,
	    "nothing is selected; give the ID of an event, %s, or --all",
	    call->values[FILTER_TO] != NULL ? "one more filter" : "a filter");
}

static int
drop_read(struct call *call)
{
	return read_which(call, filter_is_given(call, FILTER_COUNT));
}

/* --to alone would select every event. */
static int
replay_read(struct call *call)
{
	const char *from = call->values[OPTION_FROM];

	if (from != NULL && *from == '\0')
		return command_misuse(
		    call, "--from is empty; give the name of a destination");
	return read_which(
	    call, from != NULL || filter_is_given(call, FILTER_TO));
}

/* ---- the change ---- */

/* Changes the deliveries of one event, or of all that match. */
typedef enum store_status (*change_function)(struct store *store,
    const struct list_filter *filter, const struct change_options *options,
    struct change_counts *counts);

struct changing {
	struct call *call;
	change_function change;
	struct change_options options;
	struct change_counts done;  /* without the current change */
	struct change_counts total; /* with the current change */
	struct kept_back kept_back;
	struct progress progress;
};

static int64_t
count_changed(const struct change_counts *counts)
{
	return counts->replayed + counts->made + counts->hurried +
	       counts->dropped;
}

static struct change_counts
add_counts(const struct change_counts *a, const struct change_counts *b)
{
	return (struct change_counts){.replayed = a->replayed + b->replayed,
	    .made = a->made + b->made,
	    .hurried = a->hurried + b->hurried,
	    .dropped = a->dropped + b->dropped,
	    .due = a->due + b->due,
	    .behind = a->behind + b->behind,
	    .passed_over = a->passed_over + b->passed_over,
	    .removed = a->removed + b->removed};
}

static bool
note_step(void *arg, const struct change_counts *counts)
{
	struct changing *changing = arg;

	return progress_show(&changing->progress,
	    count_changed(&changing->done) + count_changed(counts));
}

static enum store_status
change(struct changing *changing, const char *event_id)
{
	struct change_counts counts = {.replayed = 0};
	enum store_status status;

	changing->options.event_id = event_id;
	status = changing->change(changing->call->store,
	    &changing->call->filter, &changing->options, &counts);
	changing->done = add_counts(&changing->done, &counts);
	return status;
}

/* Changes one event after the other, after finding all of them. */
static enum store_status
change_ids(struct changing *changing)
{
	char **operands = changing->call->operands;
	enum store_status status = STORE_OK;
	char(*ids)[UUID_TEXT_SIZE];
	size_t count = 0, i;

	while (operands[count] != NULL)
		count++;
	ids = xcalloc(count, sizeof *ids);
	for (i = 0; i < count && status == STORE_OK; i++)
		status = store_find_event(
		    changing->call->store, operands[i], ids[i]);
	for (i = 0; i < count && status == STORE_OK && !progress_is_stopped();
	     i++)
		status = change(changing, ids[i]);
	free(ids);
	return status;
}

/* ---- the output ---- */

static const struct count_row {
	const char *key; /* the JSON key */
	size_t offset;
	const char *text;
} count_rows[] = {
    {"replayed", offsetof(struct change_counts, replayed), "replayed"},
    {"created", offsetof(struct change_counts, made), "created"},
    {"made_due", offsetof(struct change_counts, hurried), "made due now"},
    {"dropped", offsetof(struct change_counts, dropped), "dropped"},
    {"due", offsetof(struct change_counts, due), "already due"},
    {"behind", offsetof(struct change_counts, behind),
	"behind an earlier delivery of the same ticket"},
    {"skipped", offsetof(struct change_counts, passed_over),
	"skipped: nothing to do"},
    {"skipped_removed", offsetof(struct change_counts, removed),
	"skipped: the destination is not configured any more"},
};

#define COUNT_ROWS (sizeof count_rows / sizeof count_rows[0])

static int64_t
count_of(const struct change_counts *counts, const struct count_row *row)
{
	return *(
	    const int64_t *)(const void *)((const char *)counts + row->offset);
}

static void
print_text(const struct changing *changing)
{
	const struct change_counts *counts = &changing->done;
	bool is_dry = changing->options.mode == CHANGE_COUNT;
	size_t i, printed = 0;

	if (is_dry)
		puts("dry run, nothing was changed:");
	for (i = 0; i < COUNT_ROWS; i++) {
		int64_t count = count_of(counts, &count_rows[i]);

		if (count == 0)
			continue;
		printf("%lld %s %s\n", (long long)count,
		    count == 1 ? "delivery" : "deliveries", count_rows[i].text);
		printed++;
	}
	if (printed == 0)
		puts("no delivery matches");
	kept_back_print(&changing->kept_back);
}

static void
print_json(const struct changing *changing, const char *relay)
{
	struct jsonout out = {.needs_comma = false};
	size_t i;

	jsonout_open(&out, NULL, '{');
	jsonout_bool(&out, "dry_run", changing->options.mode == CHANGE_COUNT);
	for (i = 0; i < COUNT_ROWS; i++)
		jsonout_number(&out, count_rows[i].key,
		    count_of(&changing->done, &count_rows[i]));
	kept_back_add_json(&changing->kept_back, &out);
	jsonout_text(&out, "relay", relay);
	jsonout_close(&out, '}');
	jsonout_end(&out);
}

/* Notifies the relay, and prints the result. */
static int
conclude(struct changing *changing)
{
	bool is_changed = changing->options.mode == CHANGE_MAKE &&
			  (count_changed(&changing->done) > 0 ||
			      changing->kept_back.count > 0);
	enum nudge nudge = NUDGE_WOKEN;

	if (is_changed)
		nudge = nudge_relay(changing->call);
	if (changing->call->values[OPTION_JSON] != NULL)
		print_json(changing, is_changed ? nudge_name(nudge) : NULL);
	else
		print_text(changing);
	if (is_changed && changing->call->values[OPTION_JSON] == NULL)
		nudge_print(nudge);
	if (progress_is_stopped())
		return command_fail(
		    "stopped before the end; the changes so far are kept");
	return STATUS_FINE;
}

static int
run(struct changing *changing)
{
	struct call *call = changing->call;
	enum store_status changed;
	int status = STATUS_FINE;

	changing->options.mode =
	    call->values[OPTION_DRY_RUN] != NULL ? CHANGE_COUNT : CHANGE_MAKE;
	changing->options.progress = note_step;
	changing->options.progress_arg = changing;
	changing->options.touched = kept_back_add;
	changing->options.touched_arg = &changing->kept_back;
	progress_begin(&changing->progress, "deliveries");
	changed = call->operands[0] != NULL ? change_ids(changing)
					    : change(changing, NULL);
	progress_end(&changing->progress);
	if (changed == STORE_OK)
		changed = kept_back_read(&changing->kept_back, call->store);
	if (changed != STORE_OK)
		status = command_fail("%s", store_why(call->store));
	if (changed == STORE_OK || count_changed(&changing->done) > 0)
		if (conclude(changing) != STATUS_FINE)
			status = STATUS_WRONG;
	kept_back_free(&changing->kept_back);
	return status;
}

/* ---- the subcommands ---- */

static const struct destination_config *
find_destination(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->destination_count; i++)
		if (strcmp(config->destinations[i].name, name) == 0)
			return &config->destinations[i];
	return NULL;
}

/* Skips events that the destination would not normally get. */
static bool
is_wanted(void *arg, const char *event_type, const char *community)
{
	return destination_wants(arg, event_type, community);
}

static int
run_replay(struct call *call)
{
	struct changing changing = {.call = call, .change = store_replay};
	const char *to = call->values[FILTER_TO];
	const char *from = call->values[OPTION_FROM];
	const struct destination_config *destination;

	if (from != NULL && !names_check(call, from))
		return STATUS_WRONG;
	call->filter.destination = from != NULL ? from : to;
	if (to == NULL ||
	    (from == NULL && call->filter.state != LIST_STATE_ANY))
		return run(&changing);
	destination = find_destination(call->config, to);
	if (destination == NULL)
		return command_fail(
		    "%s has no [destination %s]; add it, or correct --to",
		    call->config->path, to);
	call->filter.destination = from;
	changing.options.to = to;
	if (call->operands[0] == NULL) /* an ID overrides the destination's
					  filters */
		changing.options.wants = is_wanted;
	changing.options.wants_arg =
	    (void *)(uintptr_t)(const void *)destination;
	return run(&changing);
}

static int
run_drop(struct call *call)
{
	struct changing changing = {.call = call, .change = store_drop};

	return run(&changing);
}

const struct command command_replay = {.name = "replay",
    .operands = "[ID...]",
    .operands_max = -1,
    .needs = NEEDS_ALL,
    .options = replay_options,
    .read = replay_read,
    .run = run_replay,
    .summary = "make deliveries pending again"};

const struct command command_drop = {.name = "drop",
    .operands = "[ID...]",
    .operands_max = -1,
    .needs = NEEDS_CHANGE,
    .options = drop_options,
    .read = drop_read,
    .run = run_drop,
    .summary = "give up deliveries"};
