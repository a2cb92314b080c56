/*
 * The schema of the spool and its versions (hookspool-store(7)). Each step from
 * one version to the next is a row of a table and one transaction under the
 * write lock, so an interruption leaves a whole version.
 */
#include "config.h"

#include "spool/store_internal.h"

#define STRING(x)  STRING_(x)
#define STRING_(x) #x

/*
 * Capture writes to `events` alone. Whether an event is new is not stored with
 * the event: an event is new if its seq is beyond progress.routed_seq. So
 * routing changes no event, and capture maintains no index of states. Ids sort
 * by time, so their index grows at its end. No seq is ever skipped or used
 * twice (the number is given in the transaction): there are (newest seq -
 * erased_events) events, and (newest seq - routed_seq - erased_new) of them are
 * new.
 *
 * deliveries.state is an enum delivery_state; last_outcome and attempts.outcome
 * are an enum outcome. The transaction that changes a delivery also changes the
 * counts in `destinations`. Waiting and given-up deliveries are found by
 * deliveries_due (which next) and deliveries_open (the oldest, the newest):
 * routing adds a row to each, and a settle removes the rows. `settled` has a
 * row for each routed event with nothing pending, made by the transaction that
 * settles the event (a transaction that makes a delivery pending again must
 * remove the row): expired events are found there without a search.
 *
 * A pending delivery whose next_at_ms is NULL is behind: an earlier delivery of
 * its lane is pending (lane.c). These lie together at one end of
 * deliveries_due, apart from due deliveries. The retry clock leaves out
 * attempts_before and first_held_ms: the attempts made before the last replay,
 * and the destination's held time at the first attempt since.
 */
static const char step_1[] =
    "CREATE TABLE events ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL,"
    " received_at_ms INTEGER NOT NULL,"
    " community TEXT,"
    " event_type TEXT NOT NULL,"
    " ticket_id TEXT,"
    " note_id TEXT,"
    " conversation_id TEXT,"
    " content_type TEXT,"
    " remote_addr TEXT,"
    " body BLOB NOT NULL);"
    "CREATE UNIQUE INDEX events_id ON events(id);"

    "CREATE TABLE progress ("
    " only INTEGER PRIMARY KEY CHECK (only = 1),"
    " routed_seq INTEGER NOT NULL,"
    " erased_events INTEGER NOT NULL,"
    " erased_new INTEGER NOT NULL);"
    "INSERT INTO progress VALUES (1, 0, 0, 0);"

    "CREATE TABLE destinations ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " is_configured INTEGER NOT NULL,"
    " is_ordered INTEGER NOT NULL,"
    " pending INTEGER NOT NULL DEFAULT 0,"
    " behind INTEGER NOT NULL DEFAULT 0,"
    " delivered INTEGER NOT NULL DEFAULT 0,"
    " dead INTEGER NOT NULL DEFAULT 0,"
    " dropped INTEGER NOT NULL DEFAULT 0,"
    " last_attempt_ms INTEGER,"
    " last_delivered_ms INTEGER,"
    " last_status INTEGER,"
    " last_error TEXT,"
    " paused_at_ms INTEGER,"
    " pause_reason TEXT,"
    " hold_until_ms INTEGER,"
    " down_since_ms INTEGER,"
    " probe_at_ms INTEGER,"
    " held_since_ms INTEGER,"
    " held_total_ms INTEGER NOT NULL DEFAULT 0);"

    "CREATE TABLE deliveries ("
    " seq INTEGER NOT NULL,"
    " destination INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " lane TEXT,"
    " generation INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " attempts_before INTEGER NOT NULL DEFAULT 0,"
    " first_attempt_ms INTEGER,"
    " first_held_ms INTEGER,"
    " next_at_ms INTEGER,"
    " last_outcome INTEGER,"
    " last_status INTEGER,"
    " last_error TEXT,"
    " settled_at_ms INTEGER,"
    " PRIMARY KEY (seq, destination)) WITHOUT ROWID;"
    "CREATE INDEX deliveries_due"
    " ON deliveries(destination, next_at_ms, seq, state) WHERE state = 0;"
    "CREATE INDEX deliveries_open ON deliveries(destination, state, seq)"
    " WHERE state <> 1;"
    "CREATE INDEX deliveries_lane ON deliveries(destination, lane, seq)"
    " WHERE state = 0 AND lane IS NOT NULL;"

    "CREATE TABLE settled ("
    " seq INTEGER PRIMARY KEY,"
    " has_dead INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL);"
    "CREATE INDEX settled_at ON settled(has_dead, at_ms, seq);"

    "CREATE TABLE attempts ("
    " seq INTEGER NOT NULL,"
    " destination INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " started_at_ms INTEGER NOT NULL,"
    " duration_ms INTEGER NOT NULL,"
    " outcome INTEGER NOT NULL,"
    " status INTEGER,"
    " error TEXT,"
    " answer BLOB,"
    " PRIMARY KEY (seq, destination, number)) WITHOUT ROWID;"

    "CREATE TABLE refusals ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " received_at_ms INTEGER NOT NULL,"
    " status INTEGER NOT NULL,"
    " why TEXT NOT NULL,"
    " content_type TEXT,"
    " remote_addr TEXT,"
    " sent_bytes INTEGER,"
    " body BLOB NOT NULL);"

    "CREATE VIEW event AS SELECT seq, id, received_at_ms,"
    " CASE WHEN seq > (SELECT routed_seq FROM progress) THEN 'new'"
    " ELSE 'routed' END AS state,"
    " community, event_type, ticket_id, note_id, content_type, remote_addr,"
    " length(body) AS body_bytes, body FROM events;"

    "CREATE VIEW delivery AS SELECT events.id AS event_id,"
    " destinations.name AS destination,"
    " CASE deliveries.state"
    " WHEN 0 THEN iif(destinations.is_configured, 'pending', 'orphaned')"
    " WHEN 1 THEN 'delivered' WHEN 2 THEN 'dead' WHEN 3 THEN 'dropped' END"
    " AS state,"
    " deliveries.attempts AS attempts,"
    " iif(deliveries.state = 0, deliveries.next_at_ms, NULL) AS next_at_ms,"
    " CASE deliveries.last_outcome WHEN 0 THEN 'retry' WHEN 1 THEN 'delivered'"
    " WHEN 2 THEN 'dead' WHEN 3 THEN 'abandoned' END AS last_outcome,"
    " deliveries.last_status AS last_status,"
    " deliveries.last_error AS last_error,"
    " deliveries.settled_at_ms AS settled_at_ms"
    " FROM deliveries"
    " JOIN events ON events.seq = deliveries.seq"
    " JOIN destinations ON destinations.id = deliveries.destination;"

    "PRAGMA application_id = " STRING(
	SCHEMA_APPLICATION_ID) ";"
			       "PRAGMA user_version = 1;";

/*
 * Version 2.
 *
 * Of a delivery that waits for its next attempt, failed_at_ms is when the last
 * attempt failed through its destination's fault (else NULL), and
 * asked_until_ms is the end of the wait that the answer's Retry-After asked
 * for. destinations.last_seq is the event of the last attempt made.
 * settled.is_unwanted marks an event that matched no destination when this
 * version routed the event; progress.unwanted_events counts these. retry_asked
 * is an enum retry, for the running or the next relay; retry_number counts the
 * requests. progress.last_destination is the highest number of a forgotten
 * destination; progress.seen_erased is the value of erased_events up to which a
 * relay has broken off the attempts of erased events.
 *
 * Waiting is measured in the spool's time, which no step of the wall clock
 * moves (spool_time.c); progress records how that time goes on. In the spool's
 * time are: of deliveries next_at_ms, first_attempt_ms, failed_at_ms,
 * asked_until_ms; of destinations hold_until_ms, held_since_ms, down_since_ms,
 * probe_at_ms; and settled.at_ms. All other times are wall clock readings.
 *
 * A released step never changes: later changes are a step of their own. Columns
 * of the public views are added at the end.
 */
static const char step_2[] =
    "ALTER TABLE progress ADD COLUMN seen_erased INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE deliveries ADD COLUMN failed_at_ms INTEGER;"
    "ALTER TABLE deliveries ADD COLUMN asked_until_ms INTEGER;"
    "ALTER TABLE destinations ADD COLUMN retry_asked INTEGER NOT NULL"
    " DEFAULT 0;"
    "ALTER TABLE destinations ADD COLUMN retry_number INTEGER NOT NULL"
    " DEFAULT 0;"

    "ALTER TABLE progress ADD COLUMN boot_id TEXT;"
    "ALTER TABLE progress ADD COLUMN boot_base_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE progress ADD COLUMN noted_at_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE progress ADD COLUMN ahead_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE progress ADD COLUMN stepped_at_ms INTEGER NOT NULL DEFAULT 0;"

    "DROP VIEW event;"
    "CREATE VIEW event AS SELECT seq, id, received_at_ms,"
    " CASE WHEN seq > (SELECT routed_seq FROM progress) THEN 'new'"
    " ELSE 'routed' END AS state,"
    " community, event_type, ticket_id, note_id, content_type, remote_addr,"
    " length(body) AS body_bytes, body, conversation_id FROM events;"

    "CREATE VIEW attempt AS SELECT events.id AS event_id,"
    " destinations.name AS destination, attempts.number AS number,"
    " attempts.started_at_ms AS started_at_ms,"
    " attempts.duration_ms AS duration_ms,"
    " CASE attempts.outcome WHEN 0 THEN 'retry' WHEN 1 THEN 'delivered'"
    " WHEN 2 THEN 'dead' WHEN 3 THEN 'abandoned' END AS outcome,"
    " attempts.status AS status, attempts.error AS error,"
    " attempts.answer AS answer"
    " FROM attempts"
    " JOIN events ON events.seq = attempts.seq"
    " JOIN destinations ON destinations.id = attempts.destination;"

    "ALTER TABLE destinations ADD COLUMN paused_by TEXT;"
    "ALTER TABLE destinations ADD COLUMN last_seq INTEGER;"
    "ALTER TABLE progress ADD COLUMN unwanted_events"
    " INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE progress ADD COLUMN last_destination"
    " INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE settled ADD COLUMN is_unwanted INTEGER NOT NULL DEFAULT 0;"

    "DROP VIEW delivery;"
    "CREATE VIEW delivery AS SELECT events.id AS event_id,"
    " destinations.name AS destination,"
    " CASE deliveries.state"
    " WHEN 0 THEN iif(destinations.is_configured, 'pending', 'orphaned')"
    " WHEN 1 THEN 'delivered' WHEN 2 THEN 'dead' WHEN 3 THEN 'dropped' END"
    " AS state,"
    " deliveries.attempts AS attempts,"
    " iif(deliveries.state = 0, deliveries.next_at_ms"
    " - (SELECT ahead_ms FROM progress), NULL) AS next_at_ms,"
    " CASE deliveries.last_outcome WHEN 0 THEN 'retry' WHEN 1 THEN 'delivered'"
    " WHEN 2 THEN 'dead' WHEN 3 THEN 'abandoned' END AS last_outcome,"
    " deliveries.last_status AS last_status,"
    " deliveries.last_error AS last_error,"
    " deliveries.settled_at_ms AS settled_at_ms"
    " FROM deliveries"
    " JOIN events ON events.seq = deliveries.seq"
    " JOIN destinations ON destinations.id = deliveries.destination;"

    "PRAGMA user_version = 2;";

/* steps[n] makes version n + 1 of version n, and sets user_version. */
static const char *const steps[SCHEMA_VERSION] = {step_1, step_2};

enum store_status
schema_read_version(struct store *store, int *version)
{
	enum store_status status;
	int64_t id = 0, number = 0;

	status = sql_read_int64(store, "PRAGMA application_id", &id);
	if (status == STORE_OK)
		status = sql_read_int64(store, "PRAGMA user_version", &number);
	if (status != STORE_OK)
		return status;
	if (id != SCHEMA_APPLICATION_ID || number < 1 || number > INT_MAX)
		return store_say(store, STORE_REFUSED,
		    "%s/" DB_NAME " is not a spool of hookspool", store->path);
	*version = (int)number;
	return STORE_OK;
}

enum store_status
schema_judge(struct store *store, enum store_access access, int version)
{
	if (version > SCHEMA_VERSION)
		return store_say(store, STORE_TOO_NEW,
		    "the spool %s was made by a later hookspool (schema %d, "
		    "this one knows %d): install that version",
		    store->path, version, SCHEMA_VERSION);
	if (version == SCHEMA_VERSION ||
	    (access == STORE_CAPTURE && version == SCHEMA_VERSION - 1))
		return STORE_OK;
	return store_say(store, STORE_TOO_OLD,
	    "the spool %s has the older schema %d: start the relay, or run "
	    "`hookspool migrate`",
	    store->path, version);
}

int
schema_make(sqlite3 *db)
{
	int code, version;

	code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (version = 0; version < SCHEMA_VERSION && code == SQLITE_OK;
	     version++)
		code = sqlite3_exec(db, steps[version], NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return code;
}

enum store_status
schema_migrate(struct store *store, int version)
{
	enum store_status status = STORE_OK;

	for (; version < SCHEMA_VERSION; version++) {
		int64_t now = 0;

		status = store_begin(store, store_deadline(store));
		if (status != STORE_OK)
			return status;
		/* Another process may have made this step meanwhile. */
		status = sql_read_int64(store, "PRAGMA user_version", &now);
		if (status == STORE_OK && now > SCHEMA_VERSION)
			status = schema_judge(store, STORE_RELAY, (int)now);
		if (status == STORE_OK && now == version)
			status = sql_exec(store, steps[version]);
		if (status != STORE_OK) {
			store_rollback(store);
			return status;
		}
		status = store_commit(store);
		if (status != STORE_OK)
			return status;
	}
	store->schema_version = SCHEMA_VERSION;
	return STORE_OK;
}
