/*
 * Pauses and holds: a destination gets nothing while an operator has paused it,
 * after its own 410, or until its Retry-After. The time is counted, so that no
 * delivery dies of a pause or a hold: each change first adds up the time that
 * has passed.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "spool/tx.h"

#define HOLD_MAX_MS (INT64_C(24) * 3600 * 1000) /* the longest Retry-After */

int64_t
hold_until(int64_t until_ms, int64_t now_ms)
{
	return until_ms > now_ms && until_ms - now_ms <= HOLD_MAX_MS ? until_ms
								     : 0;
}

/* ---- a change: adds up what has passed, and counts anew from now ---- */

static int64_t
find_destination(struct tx *tx, const char *name)
{
	int64_t id = 0;

	if (!tx_get(
		tx, "SELECT id FROM destinations WHERE name = ?1", name, &id))
		tx_say(tx, STORE_GONE,
		    "the spool knows no destination \"%s\": it learns of one "
		    "when the relay loads the configuration",
		    name);
	return id;
}

/* clang-format off */
static const char add_up_sql[] =
    "UPDATE destinations SET held_total_ms = " SQL_HELD_AT("?2") ", "
    "held_since_ms = NULL WHERE id = ?1";
/* clang-format on */

static void
add_up(struct tx *tx, int64_t id, int64_t now_ms)
{
	tx_run(tx, add_up_sql, id, now_ms);
}

static void
count_anew(struct tx *tx, int64_t id, int64_t now_ms)
{
	tx_run(tx,
	    "UPDATE destinations SET held_since_ms = ?2 "
	    "WHERE id = ?1 AND (paused_at_ms IS NOT NULL "
	    "OR hold_until_ms > ?2)",
	    id, now_ms);
}

static void
check_unpaused(struct tx *tx, const char *name, int64_t id)
{
	char *by = NULL, *reason = NULL;

	if (!tx_get(tx,
		"SELECT paused_by, pause_reason FROM destinations "
		"WHERE id = ?1 AND paused_at_ms IS NOT NULL",
		id, &by, &reason))
		return;
	tx_say(tx, STORE_REFUSED,
	    "%s is paused already%s%s (%s); the first time and reason are kept",
	    name, by != NULL ? ", by " : "", by != NULL ? by : "",
	    reason != NULL ? reason : "without a reason");
	free(reason);
	free(by);
}

static void
check_kept_back(struct tx *tx, const char *name, int64_t id, int64_t now_ms)
{
	if (tx_get(tx,
		"SELECT 1 FROM destinations WHERE id = ?1 "
		"AND paused_at_ms IS NULL AND down_since_ms IS NULL "
		"AND coalesce(hold_until_ms, 0) <= ?2",
		id, now_ms))
		tx_say(tx, STORE_REFUSED,
		    "%s is not paused, held or down: there is nothing to "
		    "resume",
		    name);
}

enum store_status
store_pause(
    struct store *store, const char *name, const char *by, const char *reason)
{
	int64_t id, now_ms = store_now_ms(store);
	struct tx tx = tx_begin(store);

	assert(reason != NULL);
	id = find_destination(&tx, name);
	check_unpaused(&tx, name, id);
	add_up(&tx, id, now_ms);
	tx_run(&tx,
	    "UPDATE destinations SET paused_at_ms = ?2, paused_by = ?3, "
	    "pause_reason = ?4 WHERE id = ?1",
	    id, clock_wall_ms(), by, reason);
	count_anew(&tx, id, now_ms);
	return tx_end(&tx);
}

enum store_status
store_resume(struct store *store, const char *name)
{
	int64_t id, now_ms = store_now_ms(store);
	struct tx tx = tx_begin(store);

	id = find_destination(&tx, name);
	check_kept_back(&tx, name, id, now_ms);
	add_up(&tx, id, now_ms);
	tx_run(&tx,
	    "UPDATE destinations SET paused_at_ms = NULL, paused_by = NULL, "
	    "pause_reason = NULL, hold_until_ms = NULL, retry_asked = ?2, "
	    "retry_number = retry_number + 1 "
	    "WHERE id = ?1",
	    id, RETRY_ALL);
	count_anew(&tx, id, now_ms);
	return tx_end(&tx);
}

enum store_status
store_end_retry(struct store *store, int64_t destination, int64_t retry_number)
{
	struct tx tx = tx_begin(store);

	tx_run(&tx,
	    "UPDATE destinations SET retry_asked = 0 "
	    "WHERE id = ?1 AND retry_number = ?2",
	    destination, retry_number);
	return tx_end(&tx);
}

enum store_status
hold_ask_probes(struct store *store, const int64_t *destinations, size_t count)
{
	struct tx tx = tx_begin(store);
	size_t i;

	for (i = 0; i < count; i++)
		tx_run(&tx,
		    "UPDATE destinations SET "
		    "retry_asked = max(retry_asked, ?2), "
		    "retry_number = retry_number + 1 WHERE id = ?1",
		    destinations[i], RETRY_PROBE);
	return tx_end(&tx);
}

/* Keeps a hold that ends later, unless it ends later than any Retry-After may
 * ask for. */
enum store_status
store_hold(struct store *store, int64_t destination, int64_t until_ms)
{
	int64_t now_ms = store_now_ms(store);
	int64_t latest_ms = now_ms + HOLD_MAX_MS;
	struct tx tx = tx_begin(store);

	if (until_ms > latest_ms)
		until_ms = latest_ms;
	add_up(&tx, destination, now_ms);
	tx_run(&tx,
	    "UPDATE destinations SET hold_until_ms = ?2 WHERE id = ?1 "
	    "AND (hold_until_ms IS NULL "
	    "OR hold_until_ms NOT BETWEEN ?2 AND ?3)",
	    destination, until_ms, latest_ms);
	count_anew(&tx, destination, now_ms);
	return tx_end(&tx);
}

enum store_status
store_note_down(struct store *store, int64_t destination, int64_t since_ms,
    int64_t probe_at_ms)
{
	struct tx tx = tx_begin(store);

	tx_run(&tx,
	    "UPDATE destinations SET down_since_ms = nullif(?2, 0), "
	    "probe_at_ms = nullif(?3, 0) WHERE id = ?1",
	    destination, since_ms, probe_at_ms);
	return tx_end(&tx);
}

/* ---- reading ---- */

enum store_status
store_read_names(struct store *store, char ***names, size_t *count)
{
	struct tx tx = tx_none(store);
	char *name;

	*names = NULL;
	*count = 0;
	tx_ask(&tx, "SELECT name FROM destinations ORDER BY name");
	while (tx_next(&tx, &name)) {
		*names = xreallocarray(*names, *count + 1, sizeof **names);
		(*names)[(*count)++] = name;
	}
	return tx_end(&tx);
}

enum store_status
store_read_destinations(
    struct store *store, struct destination **destinations, size_t *count)
{
	int64_t now_ms = store_now_ms(store);
	struct destination row = {.is_configured = true};
	struct tx tx = tx_none(store);

	*destinations = NULL;
	*count = 0;
	tx_ask(&tx, "SELECT id, paused_at_ms, pause_reason, hold_until_ms, "
		    "pending, name, down_since_ms, retry_asked, retry_number "
		    "FROM destinations WHERE is_configured ORDER BY id");
	while (tx_next(&tx, &row.id, &row.paused_at_ms, &row.pause_reason,
	    &row.hold_until_ms, &row.pending, &row.name, &row.down_since_ms,
	    &row.retry, &row.retry_number)) {
		row.hold_until_ms = hold_until(row.hold_until_ms, now_ms);
		*destinations = xreallocarray(
		    *destinations, *count + 1, sizeof **destinations);
		(*destinations)[(*count)++] = row;
	}
	if (tx_end(&tx) == STORE_OK)
		return STORE_OK;
	store_free_destinations(*destinations, *count);
	*destinations = NULL;
	*count = 0;
	return tx.status;
}

void
store_free_destinations(struct destination *destinations, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(destinations[i].name);
		free(destinations[i].pause_reason);
		free(destinations[i].paused_by);
		free(destinations[i].last_error);
		free(destinations[i].last_answer);
	}
	free(destinations);
}
