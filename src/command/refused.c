/*
 * hookspool refused: bodies that were turned away and kept for a while.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/jsonout.h"
#include "command/print.h"
#include "config/value.h"
#include "spool/spool.h"

enum { OPTION_BODY, OPTION_JSON };

const struct option_row refused_options[] = {
    [OPTION_BODY] = {"body", NULL, "show: the body alone, byte for byte"},
    [OPTION_JSON] = {"json", NULL, "one JSON document; bodies in base64"},
    {.name = NULL}};

static void
add_json(struct jsonout *out, const struct refusal *refusal)
{
	jsonout_open(out, NULL, '{');
	jsonout_number(out, "seq", refusal->seq);
	jsonout_number(out, "received_at_ms", refusal->received_at_ms);
	jsonout_number(out, "status", refusal->status);
	jsonout_text(out, "why", refusal->why);
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
		return command_fail(
		    "no refused body has the number %lld", (long long)seq);
	return shown == STORE_OK ? STATUS_FINE
				 : command_fail("%s", store_why(call->store));
}

int
command_refused(struct call *call)
{
	const char *number = call->operands[1];
	int64_t seq = 0;

	if (strcmp(call->operands[0], "list") == 0 && number == NULL)
		return list(call) == STORE_OK
			   ? STATUS_FINE
			   : command_fail("%s", store_why(call->store));
	if (strcmp(call->operands[0], "show") != 0)
		return command_misuse(call, "say list, or show NUMBER");
	if (number == NULL ||
	    value_read_number(number, VALUE_PLAIN, &seq) != NULL || seq == 0)
		return command_misuse(
		    call, "show needs the number of a refused body");
	return show(call, seq);
}
