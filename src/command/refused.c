/*
 * hookspool refused: lists refused bodies, which are kept for a while, shows
 * one, or accepts some as events after all.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "base/xalloc.h"
#include "command/command.h"
#include "json/write.h"
#include "command/nudge.h"
#include "command/print.h"
#include "conf/value.h"
#include "event/event.h"
#include "spool/spool.h"

enum { OPTION_BODY, OPTION_JSON, OPTION_TYPE };

static const struct option_row refused_options[] = {
    [OPTION_BODY] = {"body", NULL,
	"with show: print the body alone, byte for byte"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document, bodies in base64"},
    [OPTION_TYPE] = {"type", "TYPE",
	"with accept: EventType of a body that has none"},
    {.name = NULL}};

static bool
read_number(const char *text, int64_t *seq)
{
	return value_read_number(text, VALUE_PLAIN, seq) == NULL && *seq > 0;
}

static void
add_json(struct jsonout *out, const struct refusal *refusal)
{
	jsonout_open(out, NULL, '{');
	jsonout_number(out, "seq", refusal->seq);
	jsonout_number(out, "received_at_ms", refusal->received_at_ms);
	jsonout_number(out, "status", refusal->status);
	jsonout_text(out, "reason", refusal->why);
	jsonout_text(out, "content_type", refusal->content_type);
	jsonout_text(out, "remote_addr", refusal->remote_addr);
	if (refusal->sent_bytes >= 0)
		jsonout_number(out, "sent_bytes", refusal->sent_bytes);
	else
		jsonout_text(out, "sent_bytes", NULL);
	jsonout_number(out, "body_bytes", (int64_t)refusal->body_bytes);
	if (refusal->body != NULL)
		jsonout_base64(
		    out, "body_base64", refusal->body, refusal->body_bytes);
	jsonout_close(out, '}');
}

/* ---- list ---- */

static bool
list_json(void *arg, const struct refusal *refusal)
{
	add_json(arg, refusal);
	return true;
}

static bool
list_row(void *arg, const struct refusal *refusal)
{
	struct table *table = arg;
	struct buf buf;

	buf_init(&buf, 64);
	table_add_number(table, refusal->seq);
	print_add_time(&buf, refusal->received_at_ms);
	table_add_buf(table, &buf);
	table_add_number(table, refusal->status);
	if (refusal->sent_bytes >= 0)
		table_add_number(table, refusal->sent_bytes);
	else
		table_add(table, NULL);
	table_add(table, refusal->remote_addr);
	table_add(table, refusal->why);
	return true;
}

static enum store_status
list(struct call *call)
{
	static const char *const titles[] = {
	    "NUMBER", "RECEIVED", "STATUS", "BYTES", "FROM", "REASON"};
	struct jsonout out = {.needs_comma = false};
	enum store_status listed;
	struct table table;

	if (call->values[OPTION_JSON] != NULL) {
		jsonout_open(&out, NULL, '[');
		listed = store_list_refused(call->store, 0, list_json, &out);
		jsonout_close(&out, ']');
		jsonout_end(&out);
		return listed;
	}
	table = table_new(titles, 6);
	listed = store_list_refused(call->store, 0, list_row, &table);
	table_print(&table);
	return listed;
}

/* ---- show ---- */

struct showing {
	const struct call *call;
	bool is_found;
};

static void
show_text(const struct refusal *refusal)
{
	struct buf buf;

	buf_init(&buf, PRINT_MAX_BYTES);
	print_add_time(&buf, refusal->received_at_ms);
	printf("received      %s\n", buf_text(&buf));
	printf("answer        %d ", refusal->status);
	print_safe(refusal->why);
	printf("\nfrom          ");
	print_safe(refusal->remote_addr);
	printf("\ncontent type  ");
	print_safe(refusal->content_type);
	printf("\nbody          %zu bytes kept", refusal->body_bytes);
	if (refusal->sent_bytes >= 0)
		printf(" of %lld", (long long)refusal->sent_bytes);
	buf_clear(&buf);
	print_add_safe(&buf, refusal->body, refusal->body_bytes);
	printf("\n\n%s\n", buf_text(&buf));
	buf_free(&buf);
}

static bool
show_one(void *arg, const struct refusal *refusal)
{
	struct showing *showing = arg;
	struct jsonout out = {.needs_comma = false};

	showing->is_found = true;
	if (showing->call->values[OPTION_JSON] != NULL) {
		add_json(&out, refusal);
		jsonout_end(&out);
	} else if (showing->call->values[OPTION_BODY] != NULL) {
		fwrite(refusal->body, 1, refusal->body_bytes, stdout);
	} else {
		show_text(refusal);
	}
	return false;
}

static int
show(struct call *call, int64_t seq)
{
	struct showing showing = {.call = call};
	enum store_status shown =
	    store_list_refused(call->store, seq, show_one, &showing);

	if (shown == STORE_GONE || (shown == STORE_OK && !showing.is_found))
		return command_fail("there is no refused body %lld; see: "
				    "hookspool refused list",
		    (long long)seq);
	return shown == STORE_OK ? STATUS_FINE
				 : command_fail("%s", store_why(call->store));
}

/* ---- accept ---- */

/* A refused body, kept after store_list_refused returns. */
struct taken {
	char *body;
	size_t body_bytes;
	char *content_type;
	char *remote_addr;
};

static bool
take(void *arg, const struct refusal *refusal)
{
	struct taken *taken = arg;

	taken->body_bytes = refusal->body_bytes;
	taken->body = xmalloc(refusal->body_bytes + 1);
	memcpy(taken->body, refusal->body, refusal->body_bytes);
	if (refusal->content_type != NULL)
		taken->content_type = xstrdup(refusal->content_type);
	if (refusal->remote_addr != NULL)
		taken->remote_addr = xstrdup(refusal->remote_addr);
	return false;
}

static void
free_taken(struct taken *taken)
{
	free(taken->body);
	free(taken->content_type);
	free(taken->remote_addr);
}

/* Fills `event`. --type replaces a missing or unknown EventType. Returns false
 * after printing the reason. */
static bool
read_event(const struct call *call, int64_t seq, const struct taken *taken,
    struct event *event)
{
	struct event_error error =
	    event_read(taken->body, taken->body_bytes, event);

	if (error.verdict == EVENT_NOT_ENVELOPE &&
	    call->values[OPTION_TYPE] != NULL)
		event->type = xstrdup(call->values[OPTION_TYPE]);
	else if (error.verdict != EVENT_FINE)
		command_fail("refused body %lld cannot become an event%s: %s",
		    (long long)seq,
		    error.verdict == EVENT_NOT_ENVELOPE ? " without --type"
							: "",
		    error.why);
	return event->type != NULL;
}

/* Accepts one body. Writes the new event's id to `id`. */
static int
accept_one(struct call *call, int64_t seq, char *id)
{
	struct taken taken = {.body = NULL};
	struct event event = {.type = NULL};
	struct capture capture = {.event = &event};
	int status = STATUS_WRONG;

	if (store_list_refused(call->store, seq, take, &taken) != STORE_OK) {
		command_fail("%s", store_why(call->store));
		goto out;
	}
	if (!read_event(call, seq, &taken, &event))
		goto out;
	capture.received_at_ms = clock_wall_ms();
	capture.content_type = taken.content_type;
	capture.remote_addr = taken.remote_addr;
	capture.body = taken.body;
	capture.body_bytes = taken.body_bytes;
	uuid_make(capture.received_at_ms, capture.id);
	if (store_accept_refused(call->store, seq, &capture) != STORE_OK) {
		command_fail("%s", store_why(call->store));
		goto out;
	}
	memcpy(id, capture.id, UUID_TEXT_SIZE);
	status = STATUS_FINE;
out:
	event_free(&event);
	free_taken(&taken);
	return status;
}

static void
tell_accepted(
    const struct call *call, struct jsonout *out, int64_t seq, const char *id)
{
	if (call->values[OPTION_JSON] == NULL) {
		printf("refused body %lld is now the event %s\n",
		    (long long)seq, id);
		return;
	}
	jsonout_open(out, NULL, '{');
	jsonout_number(out, "seq", seq);
	jsonout_text(out, "id", id);
	jsonout_close(out, '}');
}

static int
accept_all(struct call *call)
{
	bool is_json = call->values[OPTION_JSON] != NULL;
	struct jsonout out = {.needs_comma = false};
	char id[UUID_TEXT_SIZE], **number;
	int status = STATUS_FINE, accepted = 0;
	int64_t seq;

	if (is_json)
		jsonout_open(&out, NULL, '[');
	for (number = call->operands + 1; *number != NULL; number++) {
		if (read_number(*number, &seq) &&
		    accept_one(call, seq, id) == STATUS_FINE) {
			tell_accepted(call, &out, seq, id);
			accepted++;
		} else {
			status = STATUS_WRONG;
		}
	}
	if (is_json) {
		jsonout_close(&out, ']');
		jsonout_end(&out);
	}
	if (accepted > 0 && is_json)
		nudge_relay(call);
	else if (accepted > 0)
		nudge_print(nudge_relay(call));
	return status;
}

/* ---- the subcommand ---- */

static int
refused_read(struct call *call)
{
	const char *verb = call->operands[0];
	bool is_accept = strcmp(verb, "accept") == 0;
	char **number;
	int64_t seq;

	if (strcmp(verb, "list") == 0 && call->operands[1] == NULL)
		return STATUS_FINE;
	if (strcmp(verb, "show") != 0 && !is_accept)
		return command_misuse(call,
		    "the action is missing; write list, show NUMBER or "
		    "accept NUMBER...");
	if (call->operands[1] == NULL ||
	    (!is_accept && call->operands[2] != NULL))
		return command_misuse(call,
		    "%s needs one NUMBER of a refused body; see: hookspool "
		    "refused list",
		    verb);
	for (number = call->operands + 1; *number != NULL; number++)
		if (!read_number(*number, &seq))
			return command_misuse(call,
			    "\"%s\" is not a number; write the NUMBER that "
			    "`hookspool refused list` shows",
			    *number);
	if (is_accept)
		call->needs = NEEDS_CHANGE;
	return STATUS_FINE;
}

static int
run_refused(struct call *call)
{
	int64_t seq = 0;

	switch (call->operands[0][0]) {
	case 'l':
		return list(call) == STORE_OK
			   ? STATUS_FINE
			   : command_fail("%s", store_why(call->store));
	case 's':
		read_number(call->operands[1], &seq);
		return show(call, seq);
	default:
		return accept_all(call);
	}
}

const struct command command_refused = {.name = "refused",
    .operands = "list | show NUMBER | accept NUMBER...",
    .operands_min = 1,
    .operands_max = -1,
    .needs = NEEDS_STORE,
    .options = refused_options,
    .read = refused_read,
    .run = run_refused,
    .summary = "list, show or accept refused bodies"};
