/*
 * What the log says of outcomes: see note.h.
 */
#include "config.h"

#include "relay/note.h"

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "relay/queue.h"

static const char *
error_of(const struct deliver_result *result)
{
	return result->error[0] != '\0' ? result->error
					: "the answer was not 2xx";
}

static void
note_failure(const struct claim *claim)
{
	struct queue *queue = claim->queue;
	const char *name = queue->destination->name;
	const struct deliver_result *result = &claim->result;

	if (queue->failures++ == 0)
		queue->failing_since_ms = claim->started_at_ms;
	if (claim->outcome == OUTCOME_DEAD)
		log_note(LOG_LEVEL_ERROR, "delivery is dead",
		    LOG_TEXT("id", claim->due.id), LOG_TEXT("to", name),
		    LOG_NUMBER("attempt", claim->due.attempts + 1),
		    LOG_NUMBER("status", result->status),
		    LOG_TEXT("error", error_of(result)));
	else if (queue->failures <= QUEUE_DOWN_FAILURES &&
		 claim->due.attempts == 0)
		log_note(LOG_LEVEL_WARN, "first attempt failed",
		    LOG_TEXT("id", claim->due.id), LOG_TEXT("to", name),
		    LOG_NUMBER("attempt", 1),
		    LOG_NUMBER("status", result->status),
		    LOG_NUMBER("ms", result->duration_ms),
		    LOG_TEXT("error", error_of(result)));
	if (queue->failures == QUEUE_DOWN_FAILURES)
		log_note(LOG_LEVEL_WARN, "destination is down",
		    LOG_TEXT("to", name),
		    LOG_NUMBER("failures", queue->failures),
		    LOG_NUMBER("status", result->status),
		    LOG_TEXT("error", error_of(result)));
}

static void
note_success(const struct claim *claim)
{
	struct queue *queue = claim->queue;
	const char *name = queue->destination->name;

	log_note(LOG_LEVEL_INFO, "delivered", LOG_TEXT("id", claim->due.id),
	    LOG_TEXT("to", name),
	    LOG_NUMBER("attempt", claim->due.attempts + 1),
	    LOG_NUMBER("status", claim->result.status),
	    LOG_NUMBER("ms", claim->result.duration_ms));
	if (queue->failures >= QUEUE_DOWN_FAILURES)
		log_note(LOG_LEVEL_INFO, "destination is back",
		    LOG_TEXT("to", name),
		    LOG_NUMBER("failures", queue->failures),
		    LOG_NUMBER("down_s",
			(clock_wall_ms() - queue->failing_since_ms) / 1000));
	queue->failures = 0;
}

void
note_outcome(const struct claim *claim, bool is_applied)
{
	if (!is_applied)
		log_note(LOG_LEVEL_INFO,
		    "outcome not recorded: the delivery "
		    "was changed meanwhile",
		    LOG_TEXT("id", claim->due.id),
		    LOG_TEXT("to", claim->queue->destination->name),
		    LOG_TEXT("outcome", outcome_name(claim->outcome)));
	else if (claim->outcome == OUTCOME_DELIVERED)
		note_success(claim);
	else if (claim->outcome != OUTCOME_ABANDONED)
		note_failure(claim);
}
