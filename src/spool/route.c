/*
 * Routing: which destinations there are, which events are new, and the arrow
 * new -> routed. Knows no filter: the relay decides where an event goes. An
 * event is new while its seq is beyond progress.routed_seq, so no event's row
 * is written here.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "spool/tx.h"

static void
configure(struct tx *tx, const struct destination_config *configured,
    struct destination *kept)
{
	tx_run(tx,
	    "INSERT INTO destinations (id, name, is_configured, is_ordered) "
	    "SELECT 1 + max(last_destination, (SELECT coalesce(max(id), 0) "
	    "FROM destinations)), ?1, 1, ?2 FROM progress WHERE true "
	    "ON CONFLICT (name) "
	    "DO UPDATE SET is_configured = 1, is_ordered = ?2",
	    configured->name, configured->order == DESTINATION_ORDER_TICKET);
	if (!tx_get(tx,
		"SELECT id, down_since_ms FROM destinations WHERE name = ?1",
		configured->name, &kept->id, &kept->down_since_ms))
		tx_fail(tx, STORE_FAILED);
}

enum store_status
store_set_destinations(struct store *store,
    const struct destination_config *configured, size_t count,
    struct destination *kept)
{
	struct tx tx = tx_begin(store);
	size_t i;

	tx_run(&tx, "UPDATE destinations SET is_configured = 0 "
		    "WHERE is_configured <> 0");
	for (i = 0; i < count; i++)
		configure(&tx, &configured[i], &kept[i]);
	return tx_end(&tx);
}

enum store_status
store_read_new(
    struct store *store, size_t limit, struct new_event **events, size_t *count)
{
	struct tx tx = tx_none(store);
	struct new_event event;
	size_t cap = 0;

	*events = NULL;
	*count = 0;
	tx_ask(&tx,
	    "SELECT seq, community, event_type FROM events "
	    "WHERE seq > (SELECT routed_seq FROM progress) "
	    "ORDER BY seq LIMIT ?1",
	    limit);
	while (tx_next(&tx, &event.seq, &event.community, &event.type)) {
		if (*count == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			*events = xreallocarray(*events, cap, sizeof **events);
		}
		(*events)[(*count)++] = event;
	}
	if (tx_end(&tx) == STORE_OK)
		return STORE_OK;
	store_free_new(*events, *count);
	*events = NULL;
	*count = 0;
	return tx.status;
}

void
store_free_new(struct new_event *events, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(events[i].community);
		free(events[i].type);
	}
	free(events);
}

enum store_status
store_read_routed(struct store *store, int64_t *seq)
{
	return sql_read_int64(store, "SELECT routed_seq FROM progress", seq);
}

/* Settles with this the events that no destination wanted. */
static void
settle_unmatched(
    struct tx *tx, int64_t after_seq, int64_t through_seq, int64_t now_ms)
{
	int64_t count = tx_run(tx,
	    "INSERT INTO settled (seq, has_dead, at_ms, is_unwanted) "
	    "SELECT seq, 0, min(" SQL_CAPTURED_AT(
		"?3", "?4") ", ?5), 1 "
			    "FROM events "
			    "WHERE seq > ?1 AND seq <= ?2 AND NOT EXISTS "
			    "(SELECT 1 FROM deliveries WHERE deliveries.seq = "
			    "events.seq)",
	    after_seq, through_seq, now_ms - clock_wall_ms(),
	    tx->store->stepped_at_ms, now_ms);

	if (count > 0)
		tx_run(tx,
		    "UPDATE progress SET "
		    "unwanted_events = unwanted_events + ?1",
		    count);
}

/* Events that were erased while new are no longer counted as new. */
static void
call_routed(struct tx *tx, int64_t through_seq)
{
	tx_run(tx,
	    "UPDATE progress SET routed_seq = ?1, erased_new = erased_new - "
	    "iif(erased_new = 0, 0, ?1 - routed_seq - (SELECT count(*) "
	    "FROM events WHERE events.seq > routed_seq AND events.seq <= ?1))",
	    through_seq);
}

/* Events beyond `through_seq` are still to come. Routing them would lose them;
 * so would routing after somebody else has. */
static void
check_bounds(struct tx *tx, int64_t after_seq, int64_t through_seq)
{
	int64_t routed_seq = 0, last_seq = 0;

	tx_get(tx, "SELECT routed_seq FROM progress", &routed_seq);
	tx_get(tx,
	    "SELECT coalesce(max(seq), 0) FROM sqlite_sequence "
	    "WHERE name = 'events'",
	    &last_seq);
	assert(!tx_is_ok(tx) || through_seq <= last_seq);
	if (routed_seq != after_seq)
		tx_say(tx, STORE_GONE,
		    "these events were routed by somebody else meanwhile");
}

/* A delivery is due since its event was captured, so that the oldest go first,
 * or since now where the clock was set back meanwhile. An event that was erased
 * after the relay read it gets none, and a delivery that is there stays. */
enum store_status
store_route(struct store *store, int64_t after_seq, int64_t through_seq,
    const struct route *routes, size_t count)
{
	int64_t now_ms = store_now_ms(store);
	struct tx tx = tx_begin(store);
	size_t i;

	assert(through_seq > after_seq);
	check_bounds(&tx, after_seq, through_seq);
	for (i = 0; i < count; i++) {
		assert(routes[i].seq > after_seq);
		assert(i == 0 || routes[i].seq >= routes[i - 1].seq);
		assert(routes[i].seq <= through_seq);
		(void)lane_make(&tx, routes[i].seq, routes[i].destination,
		    INT64_MIN, now_ms);
	}
	settle_unmatched(&tx, after_seq, through_seq, now_ms);
	call_routed(&tx, through_seq);
	return tx_end(&tx);
}
