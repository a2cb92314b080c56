/*
 * Up, down, paused, held: see health.h.
 */
#include "config.h"

#include "relay/health.h"

#include "relay/schedule.h"

#define STATUS_NONE        0
#define STATUS_TIMEOUT     408
#define STATUS_GONE        410
#define STATUS_TOO_MANY    429
#define STATUS_SERVER      500 /* and above */
#define STATUS_UNAVAILABLE 503

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* ---- a failure ---- */

bool
health_is_concerned(int status)
{
	return status == STATUS_NONE || status == STATUS_TIMEOUT ||
	       status == STATUS_TOO_MANY || status >= STATUS_SERVER;
}

/* Retry-After with 429 or 503 holds for all requests. */
static bool
hold(struct health *health, const struct health_failure *failure)
{
	int64_t now_ms = failure->now_ms, asked_ms = failure->asked_ms;

	if (failure->status != STATUS_TOO_MANY &&
	    failure->status != STATUS_UNAVAILABLE)
		return false;
	if (asked_ms <= 0 || now_ms + asked_ms <= health->hold_until_ms)
		return false;
	health->hold_until_ms = now_ms + asked_ms;
	if (now_ms - health->hold_said_at_ms < HEALTH_HOLD_SAY_MS)
		return false;
	health->hold_said_at_ms = now_ms;
	return true;
}

static void
plan_probe(struct health *health, const struct health_failure *failure)
{
	int step = health->probes + 1;
	struct schedule_failure probe = {
	    .attempts = step < HEALTH_PROBE_STEPS ? step : HEALTH_PROBE_STEPS,
	    .now_ms = failure->now_ms,
	    .random = failure->random};

	health->probe_at_ms = schedule_next_at(&probe);
}

static bool
is_failing(const struct health *health, int64_t seq)
{
	int i;

	for (i = 0; i < health->failures; i++)
		if (health->failing_seqs[i] == seq)
			return true;
	return false;
}

static bool
go_down(struct health *health, const struct health_failure *failure)
{
	if (failure->first_attempt_ms < health->last_there_ms)
		return false;
	if (is_failing(health, failure->seq))
		return false;
	if (health->failures == 0)
		health->failing_since_ms = failure->started_at_ms;
	health->failing_seqs[health->failures++] = failure->seq;
	if (health->failures < HEALTH_DOWN_FAILURES)
		return false;
	health->is_down = true;
	health->probes = 0;
	health->said_at_ms = failure->now_ms;
	plan_probe(health, failure);
	return true;
}

static bool
stay_down(struct health *health, const struct health_failure *failure)
{
	if (!failure->is_probe)
		return false;
	health->probes++;
	plan_probe(health, failure);
	if (failure->now_ms - health->said_at_ms < HEALTH_SAY_EVERY_MS)
		return false;
	health->said_at_ms = failure->now_ms;
	return true;
}

struct health_news
health_fail(struct health *health, const struct health_failure *failure)
{
	struct health_news news = {.is_down = false};

	if (failure->status == STATUS_GONE) {
		news.is_paused = !health->is_paused;
		health->is_paused = true;
		return news;
	}
	if (!health_is_concerned(failure->status))
		return health_succeed(health, failure->now_ms);
	news.is_held = hold(health, failure);
	if (health->is_down)
		news.is_still_down = stay_down(health, failure);
	else
		news.is_down = go_down(health, failure);
	news.since_ms = health->failing_since_ms;
	news.failures = health->failures + health->probes;
	return news;
}

/* ---- other changes ---- */

void
health_forget(struct health *health)
{
	health->is_down = false;
	health->failures = 0;
	health->probes = 0;
}

struct health_news
health_succeed(struct health *health, int64_t now_ms)
{
	struct health_news news = {.is_back = health->is_down,
	    .since_ms = health->failing_since_ms,
	    .failures = health->failures + health->probes};

	health_forget(health);
	health->last_there_ms = now_ms;
	return news;
}

void
health_stay_down(struct health *health, int64_t since_ms)
{
	health->is_down = true;
	health->failures = HEALTH_DOWN_FAILURES;
	health->failing_since_ms = since_ms;
}

void
health_retry_now(struct health *health)
{
	health->probe_at_ms = 0;
	health->probes = 0;
}

int64_t
health_wait_ms(const struct health *health, int64_t now_ms)
{
	int64_t wait_ms = schedule_wait_ms(health->hold_until_ms, now_ms);

	if (health->is_paused)
		return INT64_MAX;
	if (!health->is_down)
		return wait_ms;
	return larger(wait_ms, schedule_wait_ms(health->probe_at_ms, now_ms));
}

int
health_limit(const struct health *health, int concurrency)
{
	return health->is_down ? 1 : concurrency;
}
