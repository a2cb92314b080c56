/*
 * Writes rows as JSON: see rows.h.
 */
#include "config.h"

#include "command/rows.h"

#include "json/write.h"
#include "spool/spool.h"

void
rows_event(struct jsonout *out, const struct event_row *event)
{
	jsonout_number(out, "seq", event->seq);
	jsonout_text(out, "id", event->id);
	jsonout_number(out, "received_at_ms", event->received_at_ms);
	jsonout_text(out, "state", event->is_routed ? "routed" : "new");
	jsonout_text(out, "community", event->community);
	jsonout_text(out, "event_type", event->event_type);
	jsonout_text(out, "ticket_id", event->ticket_id);
	jsonout_text(out, "note_id", event->note_id);
	jsonout_text(out, "conversation_id", event->conversation_id);
	jsonout_text(out, "content_type", event->content_type);
	jsonout_text(out, "remote_addr", event->remote_addr);
	jsonout_number(out, "body_bytes", event->body_bytes);
}

static void
add_delivery(struct jsonout *out, const struct delivery_row *delivery)
{
	jsonout_open(out, NULL, '{');
	jsonout_text(out, "destination", delivery->destination);
	jsonout_text(out, "state", delivery_state_name(delivery->state));
	jsonout_number(out, "attempts", delivery->attempts);
	jsonout_some(out, "next_at_ms", delivery->next_at_ms);
	jsonout_text(out, "last_outcome", delivery->last_outcome);
	jsonout_some(out, "last_status", delivery->last_status);
	jsonout_text(out, "last_error", delivery->last_error);
	jsonout_some(out, "settled_at_ms", delivery->settled_at_ms);
	jsonout_close(out, '}');
}

void
rows_deliveries(
    struct jsonout *out, const struct delivery_row *deliveries, size_t count)
{
	size_t i;

	jsonout_open(out, "deliveries", '[');
	for (i = 0; i < count; i++)
		add_delivery(out, &deliveries[i]);
	jsonout_close(out, ']');
}

static void
add_attempt(struct jsonout *out, const struct attempt_row *attempt)
{
	jsonout_open(out, NULL, '{');
	jsonout_text(out, "destination", attempt->destination);
	jsonout_number(out, "number", attempt->number);
	jsonout_number(out, "started_at_ms", attempt->started_at_ms);
	jsonout_number(out, "duration_ms", attempt->duration_ms);
	jsonout_text(out, "outcome", outcome_name(attempt->outcome));
	jsonout_some(out, "status", attempt->status);
	jsonout_text(out, "error", attempt->error);
	jsonout_bytes(out, "answer",
	    attempt->answer != NULL ? attempt->answer : "",
	    attempt->answer_bytes);
	jsonout_close(out, '}');
}

void
rows_attempts(
    struct jsonout *out, const struct attempt_row *attempts, size_t count)
{
	size_t i;

	jsonout_open(out, "attempts", '[');
	for (i = 0; i < count; i++)
		add_attempt(out, &attempts[i]);
	jsonout_close(out, ']');
}
