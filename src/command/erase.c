/*
 * hookspool erase: erases the events of a ticket, a note or a person, or older
 * than a time. Reports how much was erased, whether completely, and how much
 * still mentions the person where erasing does not look.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "command/command.h"
#include "json/write.h"
#include "command/listing.h"
#include "command/nudge.h"
#include "command/print.h"
#include "command/progress.h"
#include "command/rows.h"
#include "command/when.h"
#include "conf/conf.h"
#include "spool/spool.h"
#include "wake/wake.h"

#define TELL_EVERY_MS 1000
#define RELAY_WAIT_MS 5000 /* a turn of the relay is shorter */
#define POLL_MS       10

enum {
	OPTION_TICKET,
	OPTION_NOTE,
	OPTION_AUTHOR,
	OPTION_BEFORE,
	OPTION_MATCH,
	OPTION_LIST,
	OPTION_DRY_RUN,
	OPTION_JSON
};

static const struct option_row erase_options[] = {
    [OPTION_TICKET] = {"ticket", "ID",
	"events with TicketId, or Id of a Ticket, anywhere in the body"},
    [OPTION_NOTE] = {"note", "ID",
	"events with NoteId, or Id of a Note, anywhere in the body"},
    [OPTION_AUTHOR] = {"author", "EMAIL",
	"events with this address in a member whose name ends in Email"},
    [OPTION_BEFORE] = {"before", "AGE",
	"events received before, such as 90d or 2006-01-02"},
    [OPTION_MATCH] = {"match", "TEXT",
	"with --dry-run: events with this text in the body, after JSON escapes "
	"are resolved"},
    [OPTION_LIST] = {"list", NULL, "with --dry-run: list the events"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "count, and change nothing"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};

/* Reads the options into `erasure`, borrowed. */
static int
read_erasure(const struct call *call, struct erasure *erasure)
{
	const char *const *values = call->values, *why = NULL;
	int option;

	*erasure = (struct erasure){.ticket = values[OPTION_TICKET],
	    .note = values[OPTION_NOTE],
	    .email = values[OPTION_AUTHOR],
	    .match = values[OPTION_MATCH]};
	for (option = OPTION_TICKET; option <= OPTION_MATCH; option++)
		if (values[option] != NULL && *values[option] == '\0')
			return command_misuse(call,
			    "--%s is empty; give a value",
			    erase_options[option].name);
	erasure->before.is_given = values[OPTION_BEFORE] != NULL;
	if (erasure->before.is_given)
		why = when_read(values[OPTION_BEFORE], clock_wall_ms(),
		    &erasure->before.ms);
	if (why != NULL)
		return command_misuse(
		    call, "--before \"%s\" %s", values[OPTION_BEFORE], why);
	if (erasure->ticket == NULL && erasure->note == NULL &&
	    erasure->email == NULL && erasure->match == NULL &&
	    !erasure->before.is_given)
		return command_misuse(call,
		    "nothing is selected; give --ticket, --note, "
		    "--author or --before");
	return STATUS_FINE;
}

/* A text that merely occurs in a body does not justify erasing the event. */
static int
erase_read(struct call *call)
{
	bool is_dry = call->values[OPTION_DRY_RUN] != NULL;
	struct erasure erasure;

	if (call->values[OPTION_MATCH] != NULL && !is_dry)
		return command_misuse(call,
		    "--match needs --dry-run: look at what it finds, then "
		    "erase by --ticket, --note, --author or --before");
	if (call->values[OPTION_LIST] != NULL && !is_dry)
		return command_misuse(call, "--list needs --dry-run");
	return read_erasure(call, &erasure);
}

/* An erasure and its output. */
struct run {
	struct call *call;
	struct erasure erasure;
	struct erase_counts counts;
	bool is_dry;
	struct progress progress;
	int64_t told_events; /* events the relay knows of, and since when */
	int64_t told_mono_ms;
	struct listing listing; /* for people */
	struct jsonout out;     /* for programs */
};

/* Tells the relay of erased events right away, not only after erasing and
 * cleaning, so that the relay stops their attempts early. */
static bool
show(void *arg, const struct erase_counts *counts)
{
	struct run *run = arg;
	int64_t now_ms = clock_mono_ms();

	if (!run->is_dry && counts->events > run->told_events &&
	    now_ms - run->told_mono_ms >= TELL_EVERY_MS) {
		run->told_events = counts->events;
		run->told_mono_ms = now_ms;
		wake_ask(run->call->config->spool.path, WAKE_LOOK);
	}
	return progress_show(&run->progress, counts->looked_at);
}

/* Waits for the relay to stop all attempts of erased events. Returns false if
 * the relay has not confirmed; `relay` is then the relay. */
static bool
await_relay(struct run *run, struct relay_holder *relay)
{
	const char *path = run->call->config->spool.path;
	int64_t until_ms = clock_mono_ms() + RELAY_WAIT_MS, events;
	bool is_seen = false;

	if (store_read_relay(path, relay))
		wake_ask(path, WAKE_LOOK);
	while (store_read_relay(path, relay)) {
		if (store_read_erased(run->call->store, &events, &is_seen) !=
			STORE_OK ||
		    is_seen || clock_mono_ms() > until_ms)
			return is_seen;
		poll(NULL, 0, POLL_MS);
	}
	return true;
}

/* An erased body that may still be on its way is not erased cleanly. */
static int
break_off(struct run *run)
{
	struct relay_holder relay;

	if (run->is_dry || run->counts.events == 0 || await_relay(run, &relay))
		return STATUS_FINE;
	run->counts.is_clean = false;
	return command_fail(
	    "the relay (pid %lld) has not confirmed that it broke off the "
	    "attempts under way: it may still send erased events, until the "
	    "`timeout` of the destination",
	    (long long)relay.pid);
}

static bool
add_match(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct run *run = arg;

	progress_end(&run->progress);
	jsonout_open(&run->out, NULL, '{');
	rows_event(&run->out, event);
	rows_deliveries(&run->out, deliveries, count);
	jsonout_close(&run->out, '}');
	return true;
}

/* Reports events that mention the address where erasing does not look. */
static void
print_mentioned(const struct run *run)
{
	if (run->counts.mentioned == 0)
		return;
	printf(
	    "%8lld  events with the address elsewhere in their text are kept; "
	    "see them with:\n          hookspool list --limit 0 --match '",
	    (long long)run->counts.mentioned);
	print_safe(run->erasure.email);
	puts("'");
}

static void
print_text(const struct run *run)
{
	const struct erase_counts *counts = &run->counts;

	puts(run->is_dry ? "dry run, nothing was erased; this would be:"
			 : "erased:");
	printf("%8lld  events, %lld of them not routed yet\n",
	    (long long)counts->events, (long long)counts->events_new);
	printf("%8lld  deliveries of these events, not delivered yet\n",
	    (long long)counts->undelivered);
	printf("%8lld  refused bodies, %lld of them not complete JSON\n",
	    (long long)counts->refused, (long long)counts->refused_text);
	printf("%8lld  answers of destinations to other events\n",
	    (long long)counts->answers);
	print_mentioned(run);
}

static void
print_json(struct run *run)
{
	const struct erase_counts *counts = &run->counts;
	struct jsonout *out = &run->out;

	jsonout_bool(out, "dry_run", run->is_dry);
	jsonout_number(out, "events", counts->events);
	jsonout_number(out, "events_new", counts->events_new);
	jsonout_number(out, "undelivered", counts->undelivered);
	jsonout_number(out, "refused", counts->refused);
	jsonout_number(out, "refused_not_json", counts->refused_text);
	jsonout_number(out, "answers", counts->answers);
	jsonout_number(out, "mentioned", counts->mentioned);
	jsonout_bool(out, "clean", !run->is_dry && counts->is_clean);
	jsonout_close(out, '}');
	jsonout_end(out);
}

/* Reports what was erased even if the rest failed. */
static int
conclude(struct run *run, enum store_status erased)
{
	struct call *call = run->call;
	bool is_clean = run->is_dry || run->counts.is_clean;
	int status = break_off(run);

	if (call->values[OPTION_JSON] != NULL)
		print_json(run);
	else
		print_text(run);
	if (progress_is_stopped())
		status = command_fail(
		    "stopped before the end: more events may match");
	else if (erased != STORE_OK || !is_clean)
		status = command_fail("%s", store_why(call->store));
	if (run->counts.undelivered > 0 && !run->is_dry)
		nudge_relay(call);
	return status;
}

/* Erases, and prints the list meanwhile. The counts follow. */
static enum store_status
erase(struct run *run)
{
	bool is_json = run->call->values[OPTION_JSON] != NULL;
	bool is_listed = run->call->values[OPTION_LIST] != NULL;
	struct erase_options options = {
	    .mode = run->is_dry ? CHANGE_COUNT : CHANGE_MAKE,
	    .progress = show,
	    .progress_arg = run};
	enum store_status erased;

	if (is_json)
		jsonout_open(&run->out, NULL, '{');
	if (is_listed) {
		options.each = is_json ? add_match : listing_add;
		options.each_arg = is_json ? (void *)run : &run->listing;
	}
	if (is_json && is_listed)
		jsonout_open(&run->out, "matches", '[');
	progress_begin(&run->progress, "events searched");
	erased = store_erase(
	    run->call->store, &run->erasure, &options, &run->counts);
	progress_end(&run->progress);
	listing_end(&run->listing);
	if (is_json && is_listed)
		jsonout_close(&run->out, ']');
	return erased;
}

static int
run_erase(struct call *call)
{
	struct run run = {.call = call,
	    .is_dry = call->values[OPTION_DRY_RUN] != NULL,
	    .listing = {.progress = &run.progress}};
	int status = read_erasure(call, &run.erasure);

	if (status != STATUS_FINE)
		return status;
	return conclude(&run, erase(&run));
}

const struct command command_erase = {.name = "erase",
    .operands = "",
    .needs = NEEDS_CHANGE,
    .options = erase_options,
    .read = erase_read,
    .run = run_erase,
    .summary = "erase events by ticket, note, person or age"};
