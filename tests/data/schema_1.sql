-- A spool of schema 1, as that version made it, with an event at each of its
-- stages: delivered, pending after a failed attempt, new.
CREATE TABLE events (
 seq INTEGER PRIMARY KEY AUTOINCREMENT,
 id TEXT NOT NULL,
 received_at_ms INTEGER NOT NULL,
 community TEXT,
 event_type TEXT NOT NULL,
 ticket_id TEXT,
 note_id TEXT,
 conversation_id TEXT,
 content_type TEXT,
 remote_addr TEXT,
 body BLOB NOT NULL);
CREATE TABLE progress (
 only INTEGER PRIMARY KEY CHECK (only = 1),
 routed_seq INTEGER NOT NULL,
 erased_events INTEGER NOT NULL,
 erased_new INTEGER NOT NULL);
CREATE TABLE destinations (
 id INTEGER PRIMARY KEY,
 name TEXT NOT NULL UNIQUE,
 is_configured INTEGER NOT NULL,
 is_ordered INTEGER NOT NULL,
 pending INTEGER NOT NULL DEFAULT 0,
 behind INTEGER NOT NULL DEFAULT 0,
 delivered INTEGER NOT NULL DEFAULT 0,
 dead INTEGER NOT NULL DEFAULT 0,
 dropped INTEGER NOT NULL DEFAULT 0,
 last_attempt_ms INTEGER,
 last_delivered_ms INTEGER,
 last_status INTEGER,
 last_error TEXT,
 paused_at_ms INTEGER,
 pause_reason TEXT,
 hold_until_ms INTEGER,
 down_since_ms INTEGER,
 probe_at_ms INTEGER,
 held_since_ms INTEGER,
 held_total_ms INTEGER NOT NULL DEFAULT 0);
CREATE TABLE deliveries (
 seq INTEGER NOT NULL,
 destination INTEGER NOT NULL,
 state INTEGER NOT NULL,
 lane TEXT,
 generation INTEGER NOT NULL DEFAULT 0,
 attempts INTEGER NOT NULL DEFAULT 0,
 attempts_before INTEGER NOT NULL DEFAULT 0,
 first_attempt_ms INTEGER,
 first_held_ms INTEGER,
 next_at_ms INTEGER,
 last_outcome INTEGER,
 last_status INTEGER,
 last_error TEXT,
 settled_at_ms INTEGER,
 PRIMARY KEY (seq, destination)) WITHOUT ROWID;
CREATE TABLE settled (
 seq INTEGER PRIMARY KEY,
 has_dead INTEGER NOT NULL,
 at_ms INTEGER NOT NULL);
CREATE TABLE attempts (
 seq INTEGER NOT NULL,
 destination INTEGER NOT NULL,
 number INTEGER NOT NULL,
 started_at_ms INTEGER NOT NULL,
 duration_ms INTEGER NOT NULL,
 outcome INTEGER NOT NULL,
 status INTEGER,
 error TEXT,
 answer BLOB,
 PRIMARY KEY (seq, destination, number)) WITHOUT ROWID;
CREATE TABLE refusals (
 seq INTEGER PRIMARY KEY AUTOINCREMENT,
 received_at_ms INTEGER NOT NULL,
 status INTEGER NOT NULL,
 why TEXT NOT NULL,
 content_type TEXT,
 remote_addr TEXT,
 sent_bytes INTEGER,
 body BLOB NOT NULL);
CREATE UNIQUE INDEX events_id ON events(id);
CREATE INDEX deliveries_due ON deliveries(destination, next_at_ms, seq,
 state) WHERE state = 0;
CREATE INDEX deliveries_open ON deliveries(destination, state, seq) WHERE
 state <> 1;
CREATE INDEX deliveries_lane ON deliveries(destination, lane, seq) WHERE
 state = 0 AND lane IS NOT NULL;
CREATE INDEX settled_at ON settled(has_dead, at_ms, seq);
CREATE VIEW event AS SELECT seq, id, received_at_ms, CASE WHEN seq > (SELECT
 routed_seq FROM progress) THEN 'new' ELSE 'routed' END AS state, community,
 event_type, ticket_id, note_id, content_type, remote_addr, length(body) AS
 body_bytes, body FROM events;
CREATE VIEW delivery AS SELECT events.id AS event_id, destinations.name AS
 destination, CASE deliveries.state WHEN 0 THEN
 iif(destinations.is_configured, 'pending', 'orphaned') WHEN 1 THEN
 'delivered' WHEN 2 THEN 'dead' WHEN 3 THEN 'dropped' END AS state,
 deliveries.attempts AS attempts, iif(deliveries.state = 0,
 deliveries.next_at_ms, NULL) AS next_at_ms, CASE deliveries.last_outcome
 WHEN 0 THEN 'retry' WHEN 1 THEN 'delivered' WHEN 2 THEN 'dead' WHEN 3 THEN
 'abandoned' END AS last_outcome, deliveries.last_status AS last_status,
 deliveries.last_error AS last_error, deliveries.settled_at_ms AS
 settled_at_ms FROM deliveries JOIN events ON events.seq = deliveries.seq
 JOIN destinations ON destinations.id = deliveries.destination;

INSERT INTO progress VALUES(1,2,0,0);
INSERT INTO destinations(id,name,is_configured,is_ordered,pending,delivered)
 VALUES(1,'crm',1,1,1,1);
INSERT INTO events VALUES
 (1,'01932c00-0000-7000-8000-000000000001',1732400000001,'Example',
 'ticket_created','11',NULL,NULL,'application/json','192.0.2.1',x'7b7d'),
 (2,'01932c00-0000-7000-8000-000000000002',1732400000002,'Example',
 'ticket_created','12',NULL,'c7','application/json','192.0.2.1',x'7b7d'),
 (3,'01932c00-0000-7000-8000-000000000003',1732400000003,'Example',
 'ticket_created','13',NULL,NULL,'application/json','192.0.2.1',x'7b7d');
INSERT INTO deliveries VALUES
 (1,1,1,NULL,1,1,0,1732400000100,0,NULL,1,200,NULL,1732400000200),
 (2,1,0,'12',1,1,0,1732400000100,0,1732400005000,0,500,'HTTP 500',NULL);
INSERT INTO attempts VALUES
 (1,1,1,1732400000100,100,1,200,NULL,x'6f6b'),
 (2,1,1,1732400000100,100,0,500,'HTTP 500',NULL);
INSERT INTO settled VALUES(1,0,1732400000200);
PRAGMA application_id = 1751872368;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
