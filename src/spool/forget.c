/*
 * Forgetting a destination that is configured no longer: erases its
 * deliveries, whatever their state, with their attempts, in short
 * transactions, and then its row. The events stay until their own time.
 */
#include "config.h"

#include "spool/store_internal.h"

#define STEP_MAX_COUNT 100 /* deliveries in one transaction */

struct forgetting {
	const char *name;
	int64_t destination;
	int64_t after_seq; /* of those delivered, which are looked for by seq */
	struct forget_counts *counts;
	int64_t found[STEP_MAX_COUNT];
	enum delivery_state states[STEP_MAX_COUNT];
	size_t found_count;
};

/* Its number, and how many deliveries of it there are. STORE_REFUSED: it is
 * configured. */
static enum store_status
read_destination(struct store *store, struct forgetting *forgetting,
    struct forget_counts *counts)
{
	enum store_status status;
	bool is_configured;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT id, is_configured, pending, delivered, dead, dropped "
	    "FROM destinations WHERE name = ?1");

	sql_bind_text(statement, 1, forgetting->name);
	status = sql_next(store, statement);
	if (status == STORE_GONE)
		return store_say(store, STORE_GONE,
		    "the spool knows nothing of a destination \"%s\"",
		    forgetting->name);
	if (status != STORE_OK)
		return status;
	forgetting->destination = sqlite3_column_int64(statement, 0);
	is_configured = sqlite3_column_int(statement, 1) != 0;
	counts->pending = sqlite3_column_int64(statement, 2);
	counts->delivered = sqlite3_column_int64(statement, 3);
	counts->dead = sqlite3_column_int64(statement, 4);
	counts->dropped = sqlite3_column_int64(statement, 5);
	sqlite3_reset(statement);
	if (!is_configured)
		return STORE_OK;
	return store_say(store, STORE_REFUSED,
	    "the relay that was here last had %s in its configuration: start "
	    "one, or hookspool reload, and then forget it",
	    forgetting->name);
}

/* ---- a step ---- */

static void
take_found(struct forgetting *forgetting, sqlite3_stmt *statement)
{
	size_t i = forgetting->found_count++;

	forgetting->found[i] = sqlite3_column_int64(statement, 0);
	forgetting->states[i] =
	    (enum delivery_state)sqlite3_column_int(statement, 1);
}

/* Some that are not delivered, or if there are none, of those that are.
 * Without the lock: the latter may take some time to be found. */
static enum store_status
find_some(struct store *store, struct forgetting *forgetting)
{
	enum store_status status;
	sqlite3_stmt *statement = sql_prepare(store,
	    "SELECT seq, state FROM deliveries WHERE destination = ?1 "
	    "AND state <> 1 LIMIT ?2");

	forgetting->found_count = 0;
	sqlite3_bind_int64(statement, 1, forgetting->destination);
	sqlite3_bind_int(statement, 2, STEP_MAX_COUNT);
	while ((status = sql_next(store, statement)) == STORE_OK)
		take_found(forgetting, statement);
	if (status != STORE_GONE || forgetting->found_count > 0)
		return status == STORE_GONE ? STORE_OK : status;
	statement = sql_prepare(store,
	    "SELECT seq, state FROM deliveries WHERE seq > ?3 "
	    "AND destination = ?1 ORDER BY seq LIMIT ?2");
	sqlite3_bind_int64(statement, 1, forgetting->destination);
	sqlite3_bind_int(statement, 2, STEP_MAX_COUNT);
	sqlite3_bind_int64(statement, 3, forgetting->after_seq);
	while ((status = sql_next(store, statement)) == STORE_OK)
		take_found(forgetting, statement);
	return status == STORE_GONE ? STORE_OK : status;
}

static enum store_status
run_for(struct store *store, const char *sql, int64_t seq, int64_t destination)
{
	sqlite3_stmt *statement = sql_prepare(store, sql);

	sqlite3_bind_int64(statement, 1, seq);
	sqlite3_bind_int64(statement, 2, destination);
	return sql_run(store, statement);
}

/* Removes a delivery that is not pending; does nothing where it is gone. */
static enum store_status
erase_settled(struct store *store, int64_t seq, int64_t destination)
{
	enum store_status status = run_for(store,
	    "UPDATE destinations SET delivered = delivered - (state = 1), "
	    "dead = dead - (state = 2), dropped = dropped - (state = 3) "
	    "FROM deliveries WHERE seq = ?1 AND destination = ?2 "
	    "AND destinations.id = ?2",
	    seq, destination);

	if (status == STORE_OK)
		status = run_for(store,
		    "DELETE FROM attempts WHERE seq = ?1 AND destination = ?2",
		    seq, destination);
	if (status == STORE_OK)
		status = run_for(store,
		    "DELETE FROM deliveries WHERE seq = ?1 "
		    "AND destination = ?2",
		    seq, destination);
	/* How long the event is kept depends on what else there is of it. */
	if (status == STORE_OK)
		status = run_for(store,
		    "UPDATE settled SET has_dead = EXISTS (SELECT 1 "
		    "FROM deliveries WHERE deliveries.seq = ?1 AND state = 2) "
		    "WHERE seq = ?1",
		    seq, destination);
	return status;
}

static enum store_status
erase_delivery(struct store *store, struct forgetting *forgetting, size_t i)
{
	int64_t seq = forgetting->found[i];
	enum store_status status = drop_delivery(store, seq,
	    forgetting->destination, DELIVERY_PENDING, store_now_ms(store));

	/* STORE_GONE: it is not pending. */
	if (status == STORE_OK || status == STORE_GONE)
		status = erase_settled(store, seq, forgetting->destination);
	return status;
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

static enum store_status
run_with(struct store *store, const char *sql, int64_t destination)
{
	sqlite3_stmt *statement = sql_prepare(store, sql);

	sqlite3_bind_int64(statement, 1, destination);
	return sql_run(store, statement);
}

/* With nothing left of it, the destination itself. Its number is not given to
 * another: an attempt that is still under way would be recorded there. */
static enum store_status
erase_destination(struct store *store, const struct forgetting *forgetting,
    const struct forget_counts *left)
{
	enum store_status status;

	if (left->pending + left->delivered + left->dead + left->dropped > 0)
		return store_say(store, STORE_BUSY,
		    "deliveries of %s were changed meanwhile: forget it once "
		    "more",
		    forgetting->name);
	status = run_with(store,
	    "UPDATE progress SET last_destination = "
	    "max(last_destination, ?1)",
	    forgetting->destination);
	if (status == STORE_OK)
		status =
		    run_with(store, "DELETE FROM destinations WHERE id = ?1",
			forgetting->destination);
	return status;
}

/* In a transaction: the destination may be configured again. */
static enum store_status
erase_found(struct store *store, struct forgetting *forgetting)
{
	struct forget_counts left = {0};
	enum store_status status = read_destination(store, forgetting, &left);
	size_t i;

	for (i = 0; i < forgetting->found_count && status == STORE_OK; i++)
		status = erase_delivery(store, forgetting, i);
	if (status == STORE_OK && forgetting->found_count == 0)
		status = erase_destination(store, forgetting, &left);
	return status;
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

static enum store_status
step(struct store *store, struct forgetting *forgetting)
{
	enum store_status status = find_some(store, forgetting);

	if (status == STORE_OK)
		status = store_begin(store, store_deadline(store));
	if (status != STORE_OK)
		return status;
	status = erase_found(store, forgetting);
	if (status != STORE_OK) {
		store_rollback(store);
		return status;
	}
	status = store_commit(store);
	if (status == STORE_OK)
		count_found(forgetting);
	return status;
}

enum store_status
store_forget(struct store *store, const char *name,
    const struct forget_options *options, struct forget_counts *counts)
{
	struct forgetting forgetting = {.name = name, .counts = counts};
	struct forget_counts there = {0};
	enum store_status status;

	*counts = (struct forget_counts){0};
	status = read_destination(store, &forgetting, &there);
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
