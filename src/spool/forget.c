/*
 * Forgetting a destination that is no longer configured: erases its
 * deliveries, whatever their state, with their attempts, in short
 * transactions, and then its row. The events stay until their own time.
 */
#include "config.h"

#include "spool/store_internal.h"
#include "spool/tx.h"

#define STEP_MAX_COUNT 100 /* deliveries in one transaction */

struct forgetting {
	const char *name;
	int64_t destination;
	int64_t after_seq; /* where the search of delivered ones goes on */
	struct forget_counts *counts;
	int64_t found[STEP_MAX_COUNT];
	enum delivery_state states[STEP_MAX_COUNT];
	size_t found_count;
};

/* Reads the number of the destination, and how many deliveries there are.
 * STORE_REFUSED: the destination is configured. */
static void
read_destination(
    struct tx *tx, struct forgetting *forgetting, struct forget_counts *counts)
{
	bool is_configured = false;

	if (!tx_get(tx,
		"SELECT id, is_configured, pending, delivered, dead, dropped "
		"FROM destinations WHERE name = ?1",
		forgetting->name, &forgetting->destination, &is_configured,
		&counts->pending, &counts->delivered, &counts->dead,
		&counts->dropped))
		tx_say(tx, STORE_GONE,
		    "the spool knows nothing of a destination \"%s\"",
		    forgetting->name);
	if (is_configured)
		tx_say(tx, STORE_REFUSED,
		    "the relay that ran last has %s in its configuration; "
		    "start a relay, or run hookspool reload, then run this "
		    "again",
		    forgetting->name);
}

/* ---- a step ---- */

/* Takes the rows (seq, state) of tx_ask. */
static void
take_found(struct tx *tx, struct forgetting *forgetting)
{
	size_t i = 0;

	while (i < STEP_MAX_COUNT &&
	       tx_next(tx, &forgetting->found[i], &forgetting->states[i]))
		i++;
	tx_stop(tx);
	forgetting->found_count = i;
}

/* Finds some deliveries that are not delivered, or if there are none, some that
 * are. Without the lock: finding the latter may take some time. */
static enum store_status
find_some(struct store *store, struct forgetting *forgetting)
{
	struct tx tx = tx_none(store);

	tx_ask(&tx,
	    "SELECT seq, state FROM deliveries WHERE destination = ?1 "
	    "AND state <> 1 LIMIT ?2",
	    forgetting->destination, STEP_MAX_COUNT);
	take_found(&tx, forgetting);
	if (forgetting->found_count > 0)
		return tx_end(&tx);
	tx_ask(&tx,
	    "SELECT seq, state FROM deliveries WHERE seq > ?3 "
	    "AND destination = ?1 ORDER BY seq LIMIT ?2",
	    forgetting->destination, STEP_MAX_COUNT, forgetting->after_seq);
	take_found(&tx, forgetting);
	return tx_end(&tx);
}

/* Removes a delivery that is not pending; does nothing where there is none. */
static void
erase_settled(struct tx *tx, int64_t seq, int64_t destination)
{
	tx_run(tx,
	    "UPDATE destinations SET delivered = delivered - (state = 1), "
	    "dead = dead - (state = 2), dropped = dropped - (state = 3) "
	    "FROM deliveries WHERE seq = ?1 AND destination = ?2 "
	    "AND destinations.id = ?2",
	    seq, destination);
	tx_run(tx, "DELETE FROM attempts WHERE seq = ?1 AND destination = ?2",
	    seq, destination);
	tx_run(tx,
	    "DELETE FROM deliveries WHERE seq = ?1 "
	    "AND destination = ?2",
	    seq, destination);
	/* How long the event is kept depends on its other deliveries. */
	tx_run(tx,
	    "UPDATE settled SET has_dead = EXISTS (SELECT 1 "
	    "FROM deliveries WHERE deliveries.seq = ?1 AND state = 2) "
	    "WHERE seq = ?1",
	    seq);
}

static void
count(struct forget_counts *counts, enum delivery_state state)
{
	switch (state) {
	case DELIVERY_PENDING:
	case DELIVERY_ORPHANED:
		counts->pending++;
		break;
	case DELIVERY_DELIVERED:
		counts->delivered++;
		break;
	case DELIVERY_DEAD:
		counts->dead++;
		break;
	case DELIVERY_DROPPED:
		counts->dropped++;
		break;
	}
}

/* With no delivery left, erases the destination itself. Its number is not given
 * to another one: an attempt still under way would be recorded there. */
static void
erase_destination(struct tx *tx, const struct forgetting *forgetting,
    const struct forget_counts *left)
{
	if (left->pending + left->delivered + left->dead + left->dropped > 0)
		tx_say(tx, STORE_BUSY,
		    "deliveries of %s were changed meanwhile; run this again",
		    forgetting->name);
	tx_run(tx,
	    "UPDATE progress SET last_destination = "
	    "max(last_destination, ?1)",
	    forgetting->destination);
	tx_run(tx, "DELETE FROM destinations WHERE id = ?1",
	    forgetting->destination);
}

static void
count_found(struct forgetting *forgetting)
{
	size_t i;

	for (i = 0; i < forgetting->found_count; i++) {
		count(forgetting->counts, forgetting->states[i]);
		if (forgetting->states[i] == DELIVERY_DELIVERED)
			forgetting->after_seq = forgetting->found[i];
	}
}

/* Looks at the destination once more: it may be configured again. */
static enum store_status
step(struct store *store, struct forgetting *forgetting)
{
	struct forget_counts left = {0};
	enum store_status status = find_some(store, forgetting);
	struct tx tx;
	size_t i;

	if (status != STORE_OK)
		return status;
	tx = tx_begin(store);
	read_destination(&tx, forgetting, &left);
	for (i = 0; i < forgetting->found_count; i++) {
		(void)drop_delivery(&tx, forgetting->found[i],
		    forgetting->destination, DELIVERY_PENDING,
		    store_now_ms(store));
		erase_settled(
		    &tx, forgetting->found[i], forgetting->destination);
	}
	if (forgetting->found_count == 0)
		erase_destination(&tx, forgetting, &left);
	if (tx_end(&tx) == STORE_OK)
		count_found(forgetting);
	return tx.status;
}

enum store_status
store_forget(struct store *store, const char *name,
    const struct forget_options *options, struct forget_counts *counts)
{
	struct forgetting forgetting = {.name = name, .counts = counts};
	struct forget_counts there = {0};
	struct tx tx = tx_none(store);
	enum store_status status;

	*counts = (struct forget_counts){0};
	read_destination(&tx, &forgetting, &there);
	status = tx_end(&tx);
	if (status == STORE_OK && options->mode == CHANGE_COUNT)
		*counts = there;
	if (status != STORE_OK || options->mode == CHANGE_COUNT)
		return status;
	do {
		if (options->progress != NULL &&
		    !options->progress(options->progress_arg, counts))
			return STORE_OK;
		status = step(store, &forgetting);
	} while (status == STORE_OK && forgetting.found_count > 0);
	counts->is_whole = status == STORE_OK;
	return status;
}
