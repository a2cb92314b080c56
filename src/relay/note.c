/*
 * Log lines about deliveries and destinations: see note.h.
 */
#include "config.h"

#include "relay/note.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "relay/queue.h"

/* The remedy in the line is ready to paste. */
#define ADVICE_SIZE 128

static const char *
error_of(const struct deliver_result *result)
{
	return result->error[0] != '\0' ? result->error
					: "the answer was not 2xx";
}

static const char *
name_of(const struct queue *queue)
{
	return queue->destination->name;
}

/* ---- deliveries ---- */

static void
note_failure(const struct claim *claim)
{
	const struct deliver_result *result = &claim->result;

	if (claim->outcome == OUTCOME_DEAD)
		log_note(LOG_LEVEL_ERROR, "delivery is dead",
		    LOG_TEXT("id", claim->due.id),
		    LOG_TEXT("to", name_of(claim->queue)),
		    LOG_NUMBER("attempt", claim->due.attempts + 1),
		    LOG_NUMBER("status", result->status),
		    LOG_TEXT("error", error_of(result)));
	else if (claim->due.attempts_counted == 0 && !claim->is_silent)
		log_note(LOG_LEVEL_WARN, "first attempt failed",
		    LOG_TEXT("id", claim->due.id),
		    LOG_TEXT("to", name_of(claim->queue)),
		    LOG_NUMBER("attempt", claim->due.attempts + 1),
		    LOG_NUMBER("status", result->status),
		    LOG_NUMBER("ms", result->duration_ms),
		    LOG_TEXT("error", error_of(result)));
}

static void
note_fault(const struct claim *claim)
{
	log_note(LOG_LEVEL_ERROR,
	    "this machine cannot deliver; the attempt does not count and is "
	    "repeated",
	    LOG_TEXT("to", name_of(claim->queue)),
	    LOG_TEXT("reason", claim->result.our_fault),
	    LOG_TEXT("error", error_of(&claim->result)));
}

void
note_outcome(const struct claim *claim, bool is_applied)
{
	if (!is_applied)
		log_note(LOG_LEVEL_INFO,
		    "outcome not recorded: the delivery was changed during the "
		    "attempt",
		    LOG_TEXT("id", claim->due.id),
		    LOG_TEXT("to", name_of(claim->queue)),
		    LOG_TEXT("outcome", outcome_name(claim->outcome)));
	else if (claim->outcome == OUTCOME_DELIVERED)
		log_note(LOG_LEVEL_INFO, "delivered",
		    LOG_TEXT("id", claim->due.id),
		    LOG_TEXT("to", name_of(claim->queue)),
		    LOG_NUMBER("attempt", claim->due.attempts + 1),
		    LOG_NUMBER("status", claim->result.status),
		    LOG_NUMBER("ms", claim->result.duration_ms));
	else if (claim->outcome != OUTCOME_ABANDONED)
		note_failure(claim);
	else if (claim->is_fault_new)
		note_fault(claim);
}

/* ---- destinations ---- */

bool
note_has_news(const struct claim *claim)
{
	const struct health_news *news = &claim->news;

	return news->is_down || news->is_still_down || news->is_back ||
	       news->is_held || news->is_paused;
}

static void
note_down(const struct claim *claim, const char *message,
    const struct store *store, int64_t waiting)
{
	int64_t since_ms = store_shown_ms(store, claim->news.since_ms);
	char since[CLOCK_TEXT_SIZE];

	log_note(LOG_LEVEL_WARN, message, LOG_TEXT("to", name_of(claim->queue)),
	    LOG_TEXT("since", clock_format(since_ms, since)),
	    LOG_NUMBER("waiting", waiting),
	    LOG_NUMBER("failures", claim->news.failures),
	    LOG_NUMBER("status", claim->result.status),
	    LOG_TEXT("error", error_of(&claim->result)));
}

static void
note_back(const struct claim *claim, const struct store *store, int64_t waiting)
{
	int64_t since_ms = store_shown_ms(store, claim->news.since_ms);
	int64_t down_ms = store_now_ms(store) - claim->news.since_ms;
	char since[CLOCK_TEXT_SIZE];

	log_note(LOG_LEVEL_NOTICE, "destination is back",
	    LOG_TEXT("to", name_of(claim->queue)),
	    LOG_TEXT("since", clock_format(since_ms, since)),
	    LOG_NUMBER("down_s", down_ms / 1000),
	    LOG_NUMBER("waiting", waiting),
	    LOG_NUMBER("failures", claim->news.failures));
}

static void
note_held(const struct claim *claim, const struct store *store, int64_t waiting)
{
	char until[CLOCK_TEXT_SIZE];
	int64_t until_ms =
	    store_shown_ms(store, claim->queue->health.hold_until_ms);

	log_note(LOG_LEVEL_NOTICE, "destination asked to wait",
	    LOG_TEXT("to", name_of(claim->queue)),
	    LOG_TEXT("until", clock_format(until_ms, until)),
	    LOG_NUMBER("waiting", waiting),
	    LOG_NUMBER("status", claim->result.status));
}

static void
note_gone(const struct claim *claim, int64_t waiting)
{
	char advice[ADVICE_SIZE];

	snprintf(advice, sizeof advice, "hookspool resume %s",
	    name_of(claim->queue));
	log_note(LOG_LEVEL_ERROR, "destination is paused: it answered 410 Gone",
	    LOG_TEXT("to", name_of(claim->queue)),
	    LOG_NUMBER("waiting", waiting),
	    LOG_NUMBER("status", claim->result.status),
	    LOG_TEXT("to_resume", advice));
}

void
note_news(const struct claim *claim, const struct store *store, int64_t waiting)
{
	const struct health_news *news = &claim->news;

	if (news->is_down)
		note_down(claim, "destination is down", store, waiting);
	if (news->is_still_down)
		note_down(claim, "destination is still down", store, waiting);
	if (news->is_back)
		note_back(claim, store, waiting);
	if (news->is_held)
		note_held(claim, store, waiting);
	if (news->is_paused)
		note_gone(claim, waiting);
}

enum store_status
note_clock(struct store *store, int64_t every_ms)
{
	int64_t step_ms = 0;
	enum store_status status = store_note_clock(store, every_ms, &step_ms);

	if (status != STORE_OK || step_ms == 0)
		return status;
	log_note(LOG_LEVEL_NOTICE,
	    step_ms > 0 ? "the clock was set forward; no wait became shorter"
			: "the clock was set back; no wait became longer",
	    LOG_NUMBER("by_s", (llabs(step_ms) + 500) / 1000));
	return STORE_OK;
}

void
note_paused(const struct queue *queue, const char *reason)
{
	log_note(LOG_LEVEL_NOTICE, "destination is paused",
	    LOG_TEXT("to", name_of(queue)), LOG_TEXT("reason", reason));
}

void
note_resumed(const struct queue *queue)
{
	log_note(LOG_LEVEL_NOTICE, "destination is resumed",
	    LOG_TEXT("to", name_of(queue)));
}

void
note_configured(const struct queue *queue, bool is_added)
{
	log_note(LOG_LEVEL_NOTICE,
	    is_added ? "destination added"
		     : "destination removed; its deliveries are kept",
	    LOG_TEXT("to", name_of(queue)));
}
