/*
 * The spool: keeps every event from capture to erasure, in SQLite (design 4 and
 * 5, hookspool-store(7)). Other rooms include this header only; SQLite is seen
 * in this room only.
 *
 * Ensures:
 * 1. Every event that store_capture reports as stored is on the disk, and
 * survives kill -9 and power loss.
 * 2. Every change of state is one function and one transaction.
 * 3. Every write and every checkpoint is made under the write lock (mutex,
 * flock, BEGIN IMMEDIATE, in this order). No holder of the lock waits for a
 * network, a log or a caller.
 *
 * Assumes: several threads share a struct store only through store_capture,
 * store_refuse, store_is_broken and store_set_limits; the process does not fork
 * while the store is open.
 */
#ifndef HOOKSPOOL_SPOOL_H
#define HOOKSPOOL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/uuid.h"

struct destination_config;
struct event;
struct spool_config;
struct store;

/* ---- opening ---- */

enum store_status {
	STORE_FAILED, /* I/O error or damage: give up the process, exit 75.
			 Zero, so that an unset result is a failure. */
	STORE_OK,
	STORE_MISSING, /* no spool: `hookspool init`, or a mount */
	STORE_REFUSED, /* modes, owner, file system, not a spool */
	STORE_TOO_OLD, /* `hookspool migrate`, or start the relay */
	STORE_TOO_NEW, /* made by a later hookspool: never touched */
	STORE_BUSY,    /* no write lock in time */
	STORE_FULL,    /* disk full, min_free, max_size */
	STORE_GONE     /* the named object does not exist, or no longer */
};

enum store_access {
	STORE_CAPTURE, /* the endpoint: never migrates */
	STORE_RELAY,   /* the relay and commands that change: migrates */
	STORE_READ     /* commands that only read */
};

struct store_options {
	const char *path; /* the folder */
	enum store_access access;
	int64_t min_free_bytes;
	int64_t max_size_bytes; /* 0: no limit */
	int64_t write_wait_ms;  /* for the write lock, before STORE_BUSY; 0:
				   10 s. store_capture has a deadline of its
				   own. */
	int64_t open_by_ms;     /* clock_mono_ms: store_open waits until then
				   for locks on the spool; 0: 5 s */
	bool is_for_one;        /* STORE_CAPTURE: the process captures one
				   event and ends; store_finish makes the
				   checkpoints */
};

/* Returns options for the configured spool: path and limits from the
 * configuration, defaults otherwise. Borrows the path. */
struct store_options store_options_for(
    const struct spool_config *spool, enum store_access access);

/* Creates the folder with an empty spool, owned by `owner` and `group` unless
 * -1. Modes: 0700 and 0600, or with `is_shared` 2770 and 0660. Keeps existing
 * files. `why` says what failed. */
enum store_status store_create(const char *path, uid_t owner, gid_t group,
    bool is_shared, struct buf *why);

/* Opens the spool; the caller closes the store. Except on STORE_OK, `why`
 * (emptied first) is one sentence with the path and what to do. A writer that
 * owns the folder or a file in the folder also corrects the mode, and logs the
 * correction. */
enum store_status store_open(
    const struct store_options *options, struct store **store, struct buf *why);

/* For a store that is_for_one, after the answer: makes the checkpoint that is
 * due. If no other process has the spool open, also checkpoints the capture, or
 * the next process to open the spool would do so before answering. Waits at
 * most 100 ms for the write lock, since the lock's holder makes checkpoints
 * too. */
void store_finish(struct store *store);

/* NULL-safe. Makes no checkpoint. */
void store_close(struct store *store);

/* A wrong owner or mode of the folder or of a file in the folder. */
struct store_fault {
	char *what; /* a sentence that names the file and the users */
	char *fix;  /* the command to type, as root */
};

/* Checks the folder and the files that the endpoint and the relay open; only
 * the folder where the user may not search the folder. No folder: no faults.
 * Opens and changes nothing. The caller frees the faults with
 * store_free_faults. */
void store_find_faults(
    const char *path, struct store_fault **faults, size_t *count);
void store_free_faults(struct store_fault *faults, size_t count);

/* Tests whether a capture would be stored now, on a store open for STORE_READ:
 * does everything a capture does, but rolls back instead of committing. Waits
 * `wait_ms` for the write lock, then holds the lock for an instant. Migrates
 * and repairs nothing, leaves nothing. Except on STORE_OK, store_why says why
 * not. */
enum store_status store_try_capture(struct store *store, int64_t wait_ms);

/* Tests whether a file in the folder can be written and synced; leaves no
 * file. */
enum store_status store_try_sync(struct store *store);

/* Checks the database for `for_ms` at most. STORE_FAILED: damaged; store_why
 * says how. */
enum store_status store_look_for_damage(struct store *store, int64_t for_ms);

/* Returns whether there was an I/O error, damage, or another database file at
 * the path. Nothing more is stored then; the process should exit with 75. */
bool store_is_broken(const struct store *store);

/* Checks whether the database, the log and the lock are still the files at
 * their paths. STORE_FAILED if not: the store is broken from then on. Every
 * commit checks too. Not while other threads capture. */
enum store_status store_check_files(struct store *store);

/* Returns the sentence about the last failure on this store, for people;
 * borrowed, never NULL. Not while other threads capture. */
const char *store_why(const struct store *store);

/* Sets new limits after a reload. Thread-safe. */
void store_set_limits(
    struct store *store, int64_t min_free_bytes, int64_t max_size_bytes);

/* ---- time ---- */

/* Returns the spool's time, in ms, the clock of everything that waits. Keeps
 * going when the wall clock is set, and across a boot; equal to the wall clock
 * if the wall clock was never set. Not for STORE_CAPTURE. */
int64_t store_now_ms(const struct store *store);

/* Converts a spool's time to the wall clock as set now; keeps 0 and
 * INT64_MAX. */
int64_t store_shown_ms(const struct store *store, int64_t at_ms);

/* For the relay: notes the difference of the two clocks, if the wall clock was
 * set since the last note or `every_ms` have passed. `step_ms` gets the change
 * of the wall clock; 0: less than a second. */
enum store_status store_note_clock(
    struct store *store, int64_t every_ms, int64_t *step_ms);

/* ---- capture: the endpoint ---- */

enum capture_result {
	CAPTURE_FAILED, /* I/O: see store_is_broken */
	CAPTURE_LOCKED, /* deadline passed */
	CAPTURE_FULL,   /* disk, min_free, max_size */
	CAPTURE_STORED  /* committed and synced: only now may 200 be sent */
};

/* A POST to store. All pointers are borrowed during the call. */
struct capture {
	char id[UUID_TEXT_SIZE]; /* made by the caller, uuid_make */
	int64_t received_at_ms;
	const struct event *event;
	const char *content_type; /* NULL: not sent */
	const char *remote_addr;  /* NULL: unknown */
	const void *body;
	size_t body_bytes;
	enum capture_result result; /* out */
	int64_t seq;                /* out: assigned in the commit */
};

/* Captures events: the only way into the spool. Stores the `count` events of
 * `batch`, together with those that other threads bring meanwhile, in one
 * synced commit (the first waiting thread leads), and sets the result of each.
 * Returns by `deadline_ms` (clock_mono_ms), except during a commit.
 * Thread-safe. A bad row does not fail the other rows. */
void store_capture(struct store *store, struct capture *batch, size_t count,
    int64_t deadline_ms);

/* A refused body. */
struct refusal {
	int64_t seq; /* out, when read */
	int64_t received_at_ms;
	int status;               /* HTTP status answered */
	const char *why;          /* reason answered */
	const char *content_type; /* NULL: none */
	const char *remote_addr;  /* NULL: unknown */
	const void *body;         /* the first REFUSAL_MAX_BYTES */
	size_t body_bytes;        /* number of bytes kept */
	int64_t sent_bytes;       /* full length; -1: unknown */
};

#define REFUSAL_MAX_BYTES 65536
#define REFUSAL_MAX_COUNT 100

/* Keeps a refused body among the newest REFUSAL_MAX_COUNT, without a sync, at
 * most ten a second. Beyond that rate, or on failure, drops the body silently.
 * Never waits long. Thread-safe. */
void store_refuse(struct store *store, const struct refusal *refusal);

/* ---- routing, claiming, settling: the relay ---- */

enum delivery_state {
	DELIVERY_PENDING,
	DELIVERY_DELIVERED,
	DELIVERY_DEAD,
	DELIVERY_DROPPED,
	DELIVERY_ORPHANED /* pending, destination not configured: never
			     stored, shown by the view */
};

/* Returns the word for the state, as in the views and in --state. */
const char *delivery_state_name(enum delivery_state state);

/* An operator's request that the relay has not carried out yet. */
enum retry {
	RETRY_NOT_ASKED,
	RETRY_PROBE, /* the next probe at once, if down */
	RETRY_ALL    /* all waiting deliveries at once, as if none had failed */
};

/* A destination as kept in the spool. Times are by the wall clock unless noted.
 * Strings owned; NULL where there is nothing to say. */
struct destination {
	int64_t id; /* the spool's number; not in a summary */
	char *name;
	bool is_configured; /* false: pending deliveries are orphaned */
	int64_t pending;    /* number of deliveries */

	int64_t paused_at_ms; /* 0: not paused */
	char *pause_reason;   /* NULL: not paused */
	/* In the spool's time; in a summary by the wall clock: */
	int64_t hold_until_ms; /* 0: not held */
	int64_t down_since_ms; /* from store_note_down; 0: up, or, in a
				  summary, no relay runs */

	/* From store_read_destinations only: */
	enum retry retry;
	int64_t retry_number; /* of this request; different for each */

	/* In a summary only: */
	char *paused_by;   /* NULL: the relay, unknown, or not paused */
	int64_t behind;    /* of `pending`: behind an earlier delivery of the
			      lane */
	int64_t delivered; /* number of deliveries still kept */
	int64_t dead;      /* likewise */
	int64_t dropped;   /* likewise */
	int64_t oldest_pending_ms; /* when received; 0: none */
	int64_t next_at_ms;        /* 0: nothing waits */
	int64_t probe_at_ms;       /* 0: up */
	int64_t last_attempt_ms;   /* 0: none */
	int64_t last_delivered_ms; /* 0: none */
	int last_status;           /* of the last attempt, like the next two */
	char *last_error;
	char *last_answer; /* first line of the answer */
};

/* Tells the spool which destinations are configured; deliveries to other
 * destinations are orphaned. Each of the `count` elements of `kept` gets `id`
 * and `down_since_ms`, and owns nothing. Call store_release_behind next:
 * deliveries behind others may belong to a destination no longer ordered. */
enum store_status store_set_destinations(struct store *store,
    const struct destination_config *configured, size_t count,
    struct destination *kept);

/* Makes due the deliveries that are behind although their destination is not
 * (or no longer) ordered, one step a call. `is_more`: call again. */
enum store_status store_release_behind(struct store *store, bool *is_more);

/* An event for the relay to route. Strings owned by the array. */
struct new_event {
	int64_t seq;
	char *community; /* NULL: absent */
	char *type;
};

/* Reads the oldest unrouted events, at most `limit`, in capture order. The
 * caller frees them with store_free_new. */
enum store_status store_read_new(struct store *store, size_t limit,
    struct new_event **events, size_t *count);
void store_free_new(struct new_event *events, size_t count);

/* A delivery to create. */
struct route {
	int64_t seq;
	int64_t destination;
};

/* The arrow new -> routed: creates the deliveries of all events up to and
 * including `through_seq`, and marks these events routed. Each delivery is due
 * at once (oldest event first), or behind, if the destination is ordered and an
 * earlier delivery of the lane is pending. `routes` are in seq order. An event
 * without a route matched nothing. STORE_GONE, and nothing done, if another
 * process has meanwhile routed the events after `after_seq`, the last event
 * routed before. */
enum store_status store_route(struct store *store, int64_t after_seq,
    int64_t through_seq, const struct route *routes, size_t count);

/* Reads the seq up to which events are routed. */
enum store_status store_read_routed(struct store *store, int64_t *seq);

/* A pending delivery, for the relay. Strings owned. */
struct due {
	int64_t seq;
	int64_t destination;
	int64_t generation; /* for store_settle */
	char id[UUID_TEXT_SIZE];
	int attempts;             /* number of attempts in all */
	int attempts_counted;     /* attempts since the last replay */
	int64_t first_attempt_ms; /* first attempt since the last replay; 0:
				     none yet */
	int64_t held_ms;          /* time paused or held since then, of the
				     destination */
	int64_t next_at_ms;
	char *type;
	char *content_type; /* NULL: none */
	size_t body_bytes;
};

/* Reads the first pending delivery of `destination` that is due at `now_ms` and
 * whose seq is not in `claimed`. A delivery due later than `ahead_max_ms` from
 * now counts as due, since no waiting time is that long. STORE_GONE: none. The
 * cost does not depend on the backlog. The caller frees it with
 * store_free_due. */
enum store_status store_read_due(struct store *store, int64_t destination,
    int64_t now_ms, int64_t ahead_max_ms, const int64_t *claimed,
    size_t claimed_count, struct due *due);
void store_free_due(struct due *due);

/* Reads the body of an event; the caller frees the body. STORE_GONE: erased. */
enum store_status store_read_body(
    struct store *store, int64_t seq, char **body, size_t *body_bytes);

/* The choice of the delivery that probes a down destination. The two take
 * turns, so that a body that fails does not keep the others waiting. */
enum probe_turn {
	PROBE_TURN_NEWEST, /* chosen among due deliveries */
	PROBE_TURN_OTHER,  /* a random one, preferably never tried and not
			      the last probe */
	PROBE_TURN_OLDEST, /* the longest due */
	PROBE_TURN_COUNT
};

struct probe_choice {
	enum probe_turn which;
	int64_t last_seq; /* of the last probe; 0: none */
	uint32_t random;
};

/* Reads the delivery to probe `destination` with. If none is due, the next to
 * be due, unless Retry-After postponed that delivery beyond `now_ms`.
 * STORE_GONE: none. The cost does not depend on the backlog. The caller frees
 * it with store_free_due. */
enum store_status store_read_probe(struct store *store, int64_t destination,
    const struct probe_choice *choice, int64_t now_ms, struct due *due);

/* Returns when `destination` has a delivery to probe with; `now_ms` or earlier:
 * at once; INT64_MAX: never. */
enum store_status store_read_probe_at(
    struct store *store, int64_t destination, int64_t now_ms, int64_t *at_ms);

/* Returns when the next pending delivery of `destination` is due, except
 * deliveries claimed or behind; INT64_MAX: never. */
enum store_status store_read_next_at(struct store *store, int64_t destination,
    const int64_t *claimed, size_t claimed_count, int64_t *next_at_ms);

/* Returns whether any event is new, or any delivery to a configured, unpaused
 * destination is pending, now or later. True on failure. */
enum store_status store_read_pending(struct store *store, bool *is_pending);

enum outcome {
	OUTCOME_RETRY, /* not delivered; try again later */
	OUTCOME_DELIVERED,
	OUTCOME_DEAD,     /* not delivered, given up */
	OUTCOME_ABANDONED /* not counted: aborted by us, or failed by a fault
			     of this machine */
};

const char *outcome_name(enum outcome outcome);

#define ANSWER_MAX_BYTES 1024 /* of the answer that are kept */

/* An attempt and its outcome. Pointers borrowed. */
struct settlement {
	int64_t seq;
	int64_t destination;
	int64_t generation; /* as claimed: fails if changed meanwhile */
	enum outcome outcome;
	int64_t next_at_ms;     /* for OUTCOME_RETRY, like the next two: */
	int64_t failed_at_ms;   /* 0: the destination did not cause the
				   failure */
	int64_t asked_until_ms; /* by Retry-After; 0: not asked */
	int64_t begun_at_ms;    /* these four in the spool's time */
	int64_t started_at_ms;  /* by the wall clock */
	int64_t duration_ms;
	int status;        /* HTTP status; 0: no answer */
	const char *error; /* NULL: none */
	const char *answer;
	size_t answer_bytes; /* cut to ANSWER_MAX_BYTES */
	bool is_applied;     /* out: false if changed meanwhile by another */
};

/* The arrows pending -> pending (retry), delivered, dead: one transaction for
 * the batch. A delivery behind one that becomes delivered or dead becomes due
 * in the same transaction. A delivery keeps its newest 20 attempts. An
 * abandoned attempt is not recorded and leaves next_at_ms unchanged. */
enum store_status store_settle(
    struct store *store, struct settlement *batch, size_t count);

/* Selects the deliveries to retry earlier, among those waiting for their next
 * attempt. */
enum forward_which {
	FORWARD_FAILED, /* whose failure, caused by the destination, is in
			   the given span */
	FORWARD_ALL,
	FORWARD_EVEN_ASKED /* also those waiting for a Retry-After, which the
			      other two respect */
};

struct forward {
	enum forward_which which;
	int64_t failed_since_ms; /* for FORWARD_FAILED: from then */
	int64_t failed_until_ms; /* until then */
	int64_t now_ms;          /* when the work began: the new due time */
	int64_t from_ms;         /* progress; `now_ms` at the start */
};

/* Makes due the deliveries to `destination` that wait for their next attempt,
 * looking at `limit` of them, or a few more; the next call continues there.
 * `is_more`: call again. */
enum store_status store_bring_forward(struct store *store, int64_t destination,
    struct forward *forward, size_t limit, bool *is_more);

/* ---- pausing and holding ---- */

/* Reads the configured destinations, by id. The caller frees them with
 * store_free_destinations. */
enum store_status store_read_destinations(
    struct store *store, struct destination **destinations, size_t *count);
void store_free_destinations(struct destination *destinations, size_t count);

/* Pauses a destination until store_resume, for `reason`, by the user `by`
 * (NULL: the relay). The relay obeys; the spool gives out deliveries as before.
 * STORE_GONE: the spool knows no destination `name`. STORE_REFUSED: paused
 * already, and the earlier pause stays unchanged; store_why gives its user and
 * reason. */
enum store_status store_pause(
    struct store *store, const char *name, const char *by, const char *reason);

/* Ends the pause, and the hold, if any, and requests RETRY_ALL. STORE_GONE as
 * above. STORE_REFUSED: neither paused nor held nor down. */
enum store_status store_resume(struct store *store, const char *name);

/* Records that the relay has carried out the request `retry_number`; a later
 * request stays. */
enum store_status store_end_retry(
    struct store *store, int64_t destination, int64_t retry_number);

/* Holds the destination (Retry-After) until `until_ms`; a longer hold stays.
 * While the destination is paused or held, the retry_for of its deliveries does
 * not run. */
enum store_status store_hold(
    struct store *store, int64_t destination, int64_t until_ms);

/* Records, for display, that the destination is down since `since_ms` and will
 * be probed at `probe_at_ms`; 0 and 0: up. */
enum store_status store_note_down(struct store *store, int64_t destination,
    int64_t since_ms, int64_t probe_at_ms);

/* ---- keeping ---- */

/* Takes the relay lock, held by one process per spool at most; the kernel
 * releases the lock when the process ends. `role` (at most RELAY_ROLE_MAX
 * letters, no space) is readable by others. Returns a descriptor, or -1 with
 * errno: EWOULDBLOCK if `wait_ms` did not suffice; EALREADY, at once, if
 * another process is waiting for the lock, since only one may wait. */
int store_lock_relay(const char *path, int64_t wait_ms, const char *role);

#define RELAY_ROLE_MAX 23

/* The holder of the relay lock. 0 or empty: not stated by the holder, perhaps
 * an older version. */
struct relay_holder {
	int64_t pid;
	int64_t started_at_ms;         /* when the lock was taken */
	char version[24];              /* of hookspool */
	char role[RELAY_ROLE_MAX + 1]; /* a word for its task */
};

/* Returns whether the relay lock is held; `holder` says by which process. Takes
 * nothing. */
bool store_read_relay(const char *path, struct relay_holder *holder);

/* Erases expired data, oldest first, in steps that hold the lock for less than
 * 100 ms. One call makes one step; `is_more`: call again. A time of 0 erases
 * nothing of that kind. An event's time counts from the last settle of its
 * deliveries, or from its capture if nothing matched; if a delivery is dead,
 * the time is `retain_dead_ms`. Above 90 % of max_size, delivered events are
 * erased before their time. New, pending and orphaned events stay. `erased`
 * gets the number of events and refused bodies. */
struct retention {
	int64_t now_ms;
	int64_t retain_ms;
	int64_t retain_dead_ms;
	int64_t retain_refused_ms;
};
enum store_status store_erase_old(struct store *store,
    const struct retention *retention, int64_t *erased, bool *is_more);

/* ---- looking: the operator ---- */

struct event_row { /* the view `event`; strings owned, NULL: absent */
	int64_t seq;
	char *id;
	int64_t received_at_ms;
	bool is_routed;
	char *community;
	char *event_type;
	char *ticket_id;
	char *note_id;
	char *conversation_id;
	char *content_type;
	char *remote_addr;
	int64_t body_bytes;
	char *body; /* from store_show_event and store_export; else NULL */
};

struct delivery_row { /* the view `delivery` */
	char *event_id;
	char *destination;
	enum delivery_state state;
	int attempts;
	int64_t next_at_ms; /* 0: settled, or behind an earlier delivery of
			       the lane */
	char *behind_id;    /* the event whose delivery must come first; from
			       store_show_event, else NULL */
	char *last_outcome; /* NULL: no attempt yet */
	int last_status;    /* 0: none */
	char *last_error;
	int64_t settled_at_ms; /* 0: not settled */
};

struct attempt_row {
	int number;
	char *destination;
	int64_t started_at_ms;
	int64_t duration_ms;
	enum outcome outcome;
	int status;
	char *error;
	char *answer;
	size_t answer_bytes;
};

/* A time, or unset. */
struct time_bound {
	bool is_given;
	int64_t ms;
};

/* The state to filter by. */
enum list_state {
	LIST_STATE_ANY,
	/* Of an event: */
	LIST_STATE_NEW,
	LIST_STATE_ROUTED,
	/* Of a delivery, in the order of enum delivery_state: */
	LIST_STATE_PENDING,
	LIST_STATE_DELIVERED,
	LIST_STATE_DEAD,
	LIST_STATE_DROPPED,
	LIST_STATE_ORPHANED,
	LIST_STATE_COUNT
};

/* Returns the word for a state, as in --state; NULL for LIST_STATE_ANY. */
const char *list_state_name(enum list_state state);

/* Reads the word for a state. Returns false if no state has this name. */
bool list_state_read(const char *word, enum list_state *state);

/* The conditions for a list; NULL omits a condition. */
struct list_filter {
	enum list_state state;
	const char *destination;
	const char *type; /* fnmatch pattern */
	const char *ticket;
	const char *note;
	const char *community;   /* fnmatch pattern */
	struct time_bound since; /* received at or after */
	struct time_bound until; /* received before */
	const char *author;      /* an e-mail address: mention.h, in the body */
	const char *match;       /* a text in the body: mention_has_text */
	size_t limit;            /* newest first; 0: all */

	/* Called from time to time while events are listed or exported, even if
	 * none matches, with the number of events examined; return false to
	 * stop. NULL: none. No read transaction is open during the call. */
	bool (*progress)(void *arg, int64_t looked_at);
	void *progress_arg;
};

/* Lists rows one at a time, newest first (by seq; within a span of time by id,
 * and therefore by time); return false from `each` to stop. Rows are borrowed
 * during the call; no read transaction is open meanwhile. An event matches a
 * state and a destination if one delivery has both. */
typedef bool (*store_each_event)(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count);
enum store_status store_list(struct store *store,
    const struct list_filter *filter, store_each_event each, void *arg);

/* Lists events in capture order, from the event after `seq`. `seq` gets the
 * number of the last event examined, so the next call lists only later
 * events. */
enum store_status store_list_after(struct store *store,
    const struct list_filter *filter, int64_t *seq, store_each_event each,
    void *arg);

/* Finds the one event whose id begins or ends with `part` (case-insensitive).
 * STORE_GONE: none; STORE_REFUSED: several among all events; store_why says so
 * and names them. A `part` that can end an id is compared with every id. `id`
 * gets UUID_TEXT_SIZE bytes. */
enum store_status store_find_event(
    struct store *store, const char *part, char *id);

/* Finds the event captured last. STORE_GONE, with `why`: none. */
enum store_status store_find_newest(struct store *store, char *id);

/* Reads the names of all destinations known to the spool, configured or not, in
 * their order; the caller frees each name and the array. */
enum store_status store_read_names(
    struct store *store, char ***names, size_t *count);

/* ---- changing deliveries: the operator ---- */

/* What to do with the selected deliveries. */
enum change_mode {
	CHANGE_COUNT, /* nothing: a dry run */
	CHANGE_MAKE
};

struct change_counts {
	int64_t replayed; /* made pending again */
	int64_t made;     /* created deliveries (`to`) */
	int64_t hurried;  /* waited for their time, now due */
	int64_t dropped;
	int64_t due;         /* unchanged: due already, */
	int64_t behind;      /* behind an earlier delivery of the lane, */
	int64_t passed_over; /* delivered or dropped for `to`, or changed
				meanwhile */
	int64_t removed;     /* not replayed: destination not configured */
};

/* After each step, with no lock held; return false to stop there. */
typedef bool (*store_progress)(void *arg, const struct change_counts *counts);

/* Called at the end, once for each destination with a delivery that a replay
 * made due or found pending. */
typedef void (*store_touched)(void *arg, int64_t destination);

/* Returns whether the destination `to` wants an event, by its own filters. */
typedef bool (*store_wants)(
    void *arg, const char *event_type, const char *community);

struct change_options {
	enum change_mode mode;
	const char *event_id; /* whole id: this event only, if the filter's
				 conditions hold too. NULL: all */
	const char *to;       /* of a replay; NULL: the same destination */
	store_wants wants;    /* of `to`; NULL: wants all */
	void *wants_arg;
	store_progress progress; /* NULL: none */
	void *progress_arg;
	store_touched touched; /* NULL: none */
	void *touched_arg;
};

/* Replays or drops the selected deliveries, per destination and state oldest
 * first, at most `limit` (0: all), in steps that hold the lock for less than
 * 100 ms. Each step checks the state again. After a failure or a stop, earlier
 * changes stay; `counts` is valid then too. STORE_REFUSED: the state is not
 * allowed here, or `to` is not configured; store_why says so. STORE_GONE: no
 * event `event_id`.
 *
 * Replay: dead, dropped and delivered deliveries become pending again, due now
 * or behind. Their attempts are kept and go on counting; their retry clock
 * starts anew. Pending deliveries become due at once, unless behind; their
 * destinations, if down, are probed at once. Without a state: dead deliveries;
 * with an event id: all deliveries of the event. With `to`: the delivery to
 * `to` of each event with any matching delivery (without state and destination:
 * of each routed event that matches). A missing delivery is created, a dead one
 * replayed; a delivered or dropped one only if that state is chosen, or the
 * event's id is given.
 *
 * Drop: pending, orphaned and dead deliveries are given up. Without a state:
 * pending and orphaned ones; with an event id dead ones too. */
enum store_status store_replay(struct store *store,
    const struct list_filter *filter, const struct change_options *options,
    struct change_counts *counts);
enum store_status store_drop(struct store *store,
    const struct list_filter *filter, const struct change_options *options,
    struct change_counts *counts);

/* The deliveries of a destination that were erased, or in a dry run would be,
 * by state. */
struct forget_counts {
	int64_t pending; /* orphaned */
	int64_t delivered;
	int64_t dead;
	int64_t dropped;
	bool is_whole; /* out: nothing is left, not even the name */
};

struct forget_options {
	enum change_mode mode;
	/* After each step, with no lock held; return false to stop there. */
	bool (*progress)(void *arg, const struct forget_counts *counts);
	void *progress_arg;
};

/* Erases a destination that is no longer configured, with its deliveries and
 * their attempts, in steps that hold the lock for less than 100 ms. Events stay
 * until their own time. STORE_GONE: the spool knows no such destination.
 * STORE_REFUSED: the relay's configuration has the destination. STORE_BUSY:
 * some rows are left, because another process changed them meanwhile. store_why
 * says so. */
enum store_status store_forget(struct store *store, const char *name,
    const struct forget_options *options, struct forget_counts *counts);

/* ---- erasing on request: the operator ---- */

/* Selects the data that meets all given conditions; NULL omits a condition. At
 * least one is needed. */
struct erasure {
	const char *ticket; /* its id, in any element of Events (mention.h) */
	const char *note;
	const char *email; /* an e-mail address, of anybody */
	const char *match; /* a text in the body (mention_has_text): dry run
			      only */
	struct time_bound before; /* received before */
};

struct erase_counts {
	int64_t events;
	int64_t events_new;   /* of these events, not routed yet */
	int64_t undelivered;  /* their undelivered deliveries */
	int64_t refused;      /* refused bodies */
	int64_t refused_text; /* of these, no whole JSON text: found by the
				 characters alone */
	int64_t answers;      /* answers to other events: emptied */
	int64_t mentioned;    /* events kept that have the address elsewhere
				 in their text; only if the address is the
				 only condition on bodies */
	int64_t looked_at;    /* events examined so far */
	int64_t to_look_at;   /* about, in total */
	bool is_clean;        /* no trace is left in the files, as far as can
				 be known; otherwise see store_why */
};

/* After each step, with no lock held; return false to stop there. */
typedef bool (*store_erase_progress)(
    void *arg, const struct erase_counts *counts);

struct erase_options {
	enum change_mode mode;
	int64_t clean_wait_ms;         /* for readers that block; 0: 10 s */
	store_erase_progress progress; /* NULL: none */
	void *progress_arg;
	store_each_event each; /* in a dry run: each event, newest first */
	void *each_arg;
};

/* Erases events in any state, with everything that belongs to them, refused
 * bodies, and answers of destinations that mention the same data, in steps that
 * hold the lock for less than 100 ms. The relay breaks off a request under way
 * for an erased event (store_read_erased); its settlement is not applied. Then
 * removes every byte of the erased data from the database and its log.
 * STORE_OK: erased, but see is_clean. STORE_REFUSED: no condition is given, or
 * `match` outside a dry run. */
enum store_status store_erase(struct store *store,
    const struct erasure *erasure, const struct erase_options *options,
    struct erase_counts *counts);

/* Reads how many events were ever erased, and whether the relay has made sure
 * that none of them is under way. For that, the relay checks with
 * store_has_event, breaks off attempts, and records the number of erased
 * events. */
enum store_status store_read_erased(
    struct store *store, int64_t *erased_events, bool *is_seen);
enum store_status store_note_seen(struct store *store, int64_t erased_events);
enum store_status store_has_event(
    struct store *store, int64_t seq, bool *is_there);

/* ---- copies: the operator ---- */

/* Reads the events that match the filter, with bodies, in capture order;
 * otherwise like store_list. With a limit, the oldest. */
enum store_status store_export(struct store *store,
    const struct list_filter *filter, store_each_event each, void *arg);

/* Called from time to time; return false to stop. */
typedef bool (*store_backup_progress)(
    void *arg, int64_t written_bytes, int64_t total_bytes);

/* Writes all committed data to the new file `path`, mode 0600, and syncs the
 * file and its folder; the copy can replace a spool.db. One long read; captures
 * and deliveries do not wait for the copy. STORE_REFUSED: the file exists,
 * cannot be created, or the copying was stopped; store_why says so. An
 * unfinished copy is named `path`.part, and is removed. */
enum store_status store_backup(struct store *store, const char *path,
    store_backup_progress progress, void *arg);

/* A copy that will replace the spool. */
struct store_restore {
	const char *path; /* the folder of the spool */
	const char *from; /* name of the copy in messages */
	int fd;           /* the copy, open for reading; stays open */
	int wal_fd;       /* the copy's log; -1: none */
	store_backup_progress progress; /* called during the copying; or NULL */
	void *arg;
	char *kept;         /* out: path of the old spool.db now, whose log
			       has -wal added; NULL: none */
	int schema_version; /* out: 1 to our version */
	int64_t events;     /* out */
};

/* Puts the copy in place, synced, with the owner and mode of the spool, without
 * a log or index of the old spool. Keeps the old files under another name. Only
 * for a whole spool of a known version, and only the owner of the folder may
 * call it. STORE_BUSY: a relay runs, or another process has the spool open for
 * writing. Except on STORE_OK, `why` is a sentence, and the spool is unchanged
 * unless `why` says that a file could not be removed or created at the end. The
 * caller frees `kept`. */
enum store_status store_restore(struct store_restore *restore, struct buf *why);

/* Accepts a refused body as an event: stores `capture` as store_capture would
 * (body of the refusal, new id and time) and erases the refusal, in one
 * transaction. STORE_GONE: no refusal of that number. STORE_REFUSED: only the
 * beginning of the body was kept, or the body differs. */
enum store_status store_accept_refused(
    struct store *store, int64_t seq, struct capture *capture);

struct event_detail {
	struct event_row event;
	struct delivery_row *deliveries;
	size_t delivery_count;
	struct attempt_row *attempts; /* by destination, oldest first */
	size_t attempt_count;
};
enum store_status store_show_event(
    struct store *store, const char *id, struct event_detail *detail);
void store_free_detail(struct event_detail *detail);

struct store_summary {
	int64_t events;
	int64_t events_new;
	int64_t events_last_hour;
	int64_t made_at_ms;            /* the spool itself; 0: unknown */
	int64_t newest_event_ms;       /* received; 0: no event is kept */
	int64_t oldest_undelivered_ms; /* received, among new and pending
					  events; 0: none */
	int64_t events_unwanted;       /* matched no destination when routed */
	int64_t refused;
	int64_t size_bytes; /* (pages - free pages) x page size + WAL */
	int64_t wal_bytes;
	int64_t free_bytes; /* of the file system */
	int schema_version;
	bool is_relay_running;
	struct relay_holder relay; /* the running relay, if any */
	bool has_failure_mark;     /* a failed sync awaits its checkpoint */
	/* Destinations that are configured, or have a pending or dead
	 * delivery: */
	struct destination *destinations;
	size_t destination_count;
};
enum store_status store_summarize(
    struct store *store, int64_t now_ms, struct store_summary *summary);
void store_free_summary(struct store_summary *summary);

/* Counts the newest `limit` routed events, except probes, and those among them
 * that no destination wanted. */
enum store_status store_count_unwanted(
    struct store *store, int64_t limit, int64_t *count, int64_t *unwanted);

typedef bool (*store_each_refusal)(void *arg, const struct refusal *refusal);
/* Reads refusals, newest first; with a body only if `seq` names one (0: all,
 * without bodies). STORE_GONE: no refusal of that number. */
enum store_status store_list_refused(
    struct store *store, int64_t seq, store_each_refusal each, void *arg);

#endif
