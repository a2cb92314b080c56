/*
 * The open spool, statements, errors, and the write lock with its transaction,
 * on which tx.h builds. For the files of spool/ only. Assumes: one thread at a
 * time uses the connection `db`: the holder of the write lock, or, in the relay
 * and the commands, the only thread.
 */
#ifndef HOOKSPOOL_STORE_INTERNAL_H
#define HOOKSPOOL_STORE_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "spool/spool.h"

#define DB_NAME         "spool.db"
#define WAL_NAME        "spool.db-wal"
#define SHM_NAME        "spool.db-shm"
#define LOCK_NAME       "lock"
#define RELAY_LOCK_NAME "relay.lock"
#define MARK_NAME       "failed-sync"

/* The byte of `lock` held shared by every process with the spool open for
 * writing. */
#define WRITERS_BYTE 0

#define STATEMENT_MAX_COUNT 128
#define WHY_MAX_BYTES       2048
#define OPEN_WAIT_MS        5000  /* for the write lock, at open */
#define WRITE_WAIT_MS       10000 /* for the write lock, relay and commands */
#define READ_WAIT_MS        5000  /* for SQLite's own locks */
#define CHECKPOINT_FRAMES   100   /* WAL length for a checkpoint */
#define CHECKPOINT_RETRY_MS 10    /* while a reader blocks */

/* A file as found when opened. Writing to a file that was removed or replaced
 * would lose the data. */
struct store_file {
	char *path;
	dev_t device;
	ino_t inode; /* 0: not opened yet */
};

enum { FILE_DB, FILE_LOCK, FILE_WAL, FILE_SHM, FILE_COUNT };

/* A statement prepared once; `sql` is borrowed for good. */
struct statement {
	const char *sql;
	sqlite3_stmt *handle;
};

struct waiter; /* capture.c */

/* Callers waiting for a commit, first come first served; see capture.c. */
struct capture_queue {
	pthread_mutex_t mutex;
	struct waiter *first;
	struct waiter *last;
	bool has_leader;
};

/* For store_refuse; see refuse.c. */
struct refusing {
	pthread_mutex_t mutex; /* guards the two fields below */
	double tokens;         /* number this process may keep now */
	int64_t at_ms;         /* when `tokens` was counted; 0: never */

	/* Under the write lock. */
	sqlite3 *db; /* NULL until the first */
	sqlite3_stmt *insert;
	sqlite3_stmt *trim;
};

struct store {
	char *path; /* the folder */
	enum store_access access;
	int64_t write_wait_ms; /* for the write lock; not for capture */
	int64_t open_by_ms;    /* store_open waits for locks until then */
	bool is_for_one;       /* store_finish makes the checkpoints */
	int folder_fd;
	int lock_fd; /* the file of the write lock; -1: STORE_READ */
	struct store_file files[FILE_COUNT];
	sqlite3 *db;
	struct statement statements[STATEMENT_MAX_COUNT];
	size_t statement_count;
	struct buf why;
	atomic_bool is_broken;
	atomic_int_least64_t min_free_bytes;
	atomic_int_least64_t max_size_bytes;
	int64_t page_bytes;
	int schema_version;

	/* The spool's time; not of STORE_CAPTURE. See spool_time.c. */
	int64_t base_ms;       /* less CLOCK_BOOTTIME */
	int64_t noted_at_ms;   /* spool's time of the next note */
	int64_t ahead_ms;      /* of the wall clock, then */
	int64_t stepped_at_ms; /* when the wall clock was last found set; 0:
				  never */

	/* The write lock: a thread's turn, flock on lock_fd, BEGIN IMMEDIATE.
	 * `mutex` guards the turn only and is held for an instant; the fields
	 * from `commits` on belong to the thread that has the turn. */
	pthread_mutex_t mutex;
	pthread_cond_t is_free;
	bool is_locked;
	int64_t commits;     /* synced commits since the opening */
	int wal_frames;      /* in the WAL after our last commit */
	int checkpoint_at;   /* number of them that call for the next
				checkpoint */
	int checkpoint_step; /* grows while a reader blocks */

	struct capture_queue queue;
	struct refusing refusing;
};

/* ---- statements and errors: sql.c ---- */

/* Opens a connection with our settings: no automatic checkpoint, no mmap, no
 * trusted schema, temporary data in memory. `synchronous` is FULL or NORMAL.
 * Waits `wait_ms` for SQLite's own locks, at the opening too. Returns an SQLite
 * result; the caller closes `db` in any case. */
int sql_connect(
    const char *path, const char *synchronous, int wait_ms, sqlite3 **db);

/* Returns the statement for `sql`, a string that lives for good: prepared at
 * first use, reset, without bindings. NULL: store_fail was called; sql_next and
 * sql_run accept NULL, and fail. Never finalized by the caller. The room has at
 * most STATEMENT_MAX_COUNT different statements. */
sqlite3_stmt *sql_prepare(struct store *store, const char *sql);

/* Runs a statement without rows, and resets it. */
enum store_status sql_run(struct store *store, sqlite3_stmt *statement);

/* Steps to the next row: STORE_OK. STORE_GONE: no more rows. Except on
 * STORE_OK, the statement is reset. A caller that stops earlier resets the
 * statement: an open one is a long reader. */
enum store_status sql_next(struct store *store, sqlite3_stmt *statement);

/* Runs plain SQL without result or parameters. */
enum store_status sql_exec(struct store *store, const char *sql);

/* Reads one integer, e.g. of a PRAGMA. */
enum store_status sql_read_int64(
    struct store *store, const char *sql, int64_t *value);

/* Bind parameters; NULL text or blob binds NULL. Bytes are borrowed until the
 * statement is reset. */
void sql_bind_text(sqlite3_stmt *statement, int index, const char *text);
void sql_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, size_t len);

/* Copies a column as a string (or bytes followed by a NUL); the caller frees
 * the copy; NULL for NULL. */
char *sql_text_dup(sqlite3_stmt *statement, int column);
char *sql_blob_dup(sqlite3_stmt *statement, int column, size_t *len);

/* Turns the SQLite result `code` into a status, and writes `why`: `doing`
 * completes "could not ...". An I/O error, damage or a read-only file breaks
 * the store; an I/O error also leaves the mark of a failed sync. */
enum store_status store_fail(struct store *store, int code, const char *doing);

/* Does the same for a connection other than the store's own. */
enum store_status store_fail_on(
    struct store *store, sqlite3 *db, int code, const char *doing);

/* Writes `why` and returns `status`. */
enum store_status store_say(struct store *store, enum store_status status,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
enum store_status store_say_list(struct store *store, enum store_status status,
    const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* ---- writing: write.c; transactions are written with tx.h ---- */

/* Takes the write lock by `deadline_ms` (clock_mono_ms), repairs the spool
 * after a failed sync, and begins a transaction. Except on STORE_OK, nothing is
 * held. Followed by store_commit or store_rollback. */
enum store_status store_begin(struct store *store, int64_t deadline_ms);

/* Commits, checks that the open files are still those at their paths, makes a
 * checkpoint if due, and releases the lock. Except on STORE_OK, nothing was
 * done, or the store is broken and the result is unknown. */
enum store_status store_commit(struct store *store);

/* Rolls back and releases the lock. Keeps `why`. */
void store_rollback(struct store *store);

/* Returns until when the relay and the commands wait for the lock. */
int64_t store_deadline(const struct store *store);

/* Takes the flock alone, for the opening. Followed by flock(LOCK_UN). */
enum store_status store_lock_file(struct store *store, int64_t deadline_ms);

/* The two halves, for capture. store_lock_write takes the lock and repairs the
 * spool after a failed sync. */
enum store_status store_lock_write(struct store *store, int64_t deadline_ms);
enum store_status store_begin_locked(struct store *store, int64_t deadline_ms);
enum store_status store_commit_locked(struct store *store);
void store_rollback_locked(struct store *store);
void store_unlock_write(struct store *store);

/* Takes the lock, moves the whole WAL into the database and empties the WAL
 * (TRUNCATE). STORE_BUSY: a reader blocked until `deadline_ms`, or the lock was
 * not free in time. */
enum store_status store_checkpoint(struct store *store, int64_t deadline_ms);

/* Returns STORE_FULL, with `why`, if min_free, or max_size too, forbids
 * more. */
enum store_status store_check_free(struct store *store);
enum store_status store_check_limits(struct store *store);

/* (pages - free pages) x page size + WAL. */
enum store_status store_read_size(
    struct store *store, int64_t *size_bytes, int64_t *wal_bytes);

/* ---- checkpoints and recovery: recover.c ---- */

/* Makes `wal_frames` follow the commits of a connection. */
void checkpoint_follow(struct store *store, sqlite3 *db);

/* Under the lock: whether the WAL is long enough for a checkpoint, and one try
 * that waits for no reader; a failure shows only in `is_broken`. */
bool checkpoint_is_due(const struct store *store);
void checkpoint_try(struct store *store);

/* Under the lock: one TRUNCATE without waiting. STORE_BUSY: a reader blocks. */
enum store_status checkpoint_once(struct store *store);

/* Under the lock: if there is a mark, checkpoints until success and removes the
 * mark. */
enum store_status recover_mend(struct store *store, int64_t deadline_ms);

/* At open, under the lock: announces to other writers that this process has the
 * spool open, and, if the first of them, repairs the spool. */
enum store_status recover_first(struct store *store);

/* ---- the mark of a failed sync: mark.c ---- */

void mark_leave(struct store *store);
bool mark_is_left(const struct store *store);
/* Returns false, with errno, if the mark is still there. */
bool mark_remove(struct store *store);

/* ---- the schema: schema.c ---- */

#define SCHEMA_VERSION        2
#define SCHEMA_APPLICATION_ID 0x686b7370 /* "hksp" */

/* Reads the database's schema version. STORE_REFUSED: not a spool. */
enum store_status schema_read_version(struct store *store, int *version);

/* Checks whether `access` can work with `version`. STORE_OK, STORE_TOO_OLD (for
 * STORE_RELAY, schema_migrate brings it up to date) or STORE_TOO_NEW. */
enum store_status schema_judge(
    struct store *store, enum store_access access, int version);

/* Brings an older schema to ours: one transaction under the lock for each step,
 * so an interruption leaves a whole version. */
enum store_status schema_migrate(struct store *store, int version);

/* Fills an empty database that no other process has open. Returns an SQLite
 * result. */
int schema_make(sqlite3 *db);

/* ---- the spool's time: spool_time.c ---- */

/* Computes the spool's time at open, after the schema was brought to ours. */
enum store_status spool_time_open(struct store *store);

/* SQL for the capture time of an event or a refused body: not before the wall
 * clock was last set, because earlier readings mean nothing now. */
#define SQL_CAPTURED_AT(ahead, stepped_at)                                     \
	"max(received_at_ms + " ahead ", " stepped_at ")"

/* ---- refusals: refuse.c ---- */

void refuse_close(struct refusing *refusing);

/* ---- locks: lock.c ---- */

/* Waits until `cond` is signalled, or wakes spuriously. Returns false if not by
 * `deadline_ms`. */
bool lock_await(
    pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ms);

/* Takes an exclusive flock by `deadline_ms`. Returns 0, or an errno:
 * EWOULDBLOCK if not free in time. */
int lock_take(int fd, int64_t deadline_ms);

/* Locks a byte of the file. The lock belongs to the open file, not to the
 * process (OFD): the kernel releases it with the last descriptor. `type` is
 * F_RDLCK, F_WRLCK or F_UNLCK. Returns false if another lock is in the way. */
bool lock_byte(int fd, int64_t offset, short type);

/* relay_lock.c: returns whether a relay holds the relay lock of the folder;
 * `holder` says which, all zeros if none. Takes nothing. */
bool lock_read_holder(int folder_fd, struct relay_holder *holder);

/* ---- rows as they are shown: query.c; see tx.h ---- */

struct tx;

/* Reads the seq of the event with this whole id; without one, the transaction
 * fails with STORE_GONE. */
int64_t query_find_seq(struct tx *tx, const char *id);

/* Reads an event without the body. Returns false if there is none. In both
 * cases query_free_event frees the event. */
bool query_read_event(struct tx *tx, int64_t seq, struct event_row *event);
void query_free_event(struct event_row *event);

/* Adds the event's body. */
void query_read_body(struct tx *tx, struct event_row *event);

/* Reads the deliveries of an event by name of destination.
 * query_free_deliveries frees them, also after a failure. */
void query_read_deliveries(
    struct tx *tx, int64_t seq, struct delivery_row **rows, size_t *count);
void query_free_deliveries(struct delivery_row *rows, size_t count);

/* Writes the beginning of ids made at `wall_ms`; `id` has UUID_TEXT_SIZE
 * bytes. */
void query_write_id_bound(int64_t wall_ms, char *id);

/* ---- claim.c ---- */

/* Reads a pending delivery, in the transaction in which it was found. */
void claim_load(struct tx *tx, int64_t destination, int64_t seq, int64_t now_ms,
    struct due *due);

/* ---- the arrows of single deliveries; see tx.h ---- */

/* lane.c: creates a pending delivery, due since the event's capture but not
 * before `from_ms` nor later than now, or behind. Returns false if there is no
 * such event, or the delivery exists. */
bool lane_make(struct tx *tx, int64_t seq, int64_t destination, int64_t from_ms,
    int64_t now_ms);

/* lane.c: makes a settled delivery in `state` pending again, due now or behind,
 * with a new retry clock. Returns false in another state. */
bool lane_revive(struct tx *tx, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms);

/* lane.c: to be called when a delivery is no longer pending: makes the first of
 * its lane due, if behind this delivery. */
void lane_pass(struct tx *tx, int64_t seq, int64_t destination, int64_t now_ms);

/* settle.c: records in `settled`, the index of old events, an event with
 * nothing pending. Does nothing for another. */
void settle_note(struct tx *tx, int64_t seq, int64_t now_ms);

/* replay.c: the arrows of an operator. Return false if the delivery is not, or
 * no longer, in `state`. */
bool replay_delivery(struct tx *tx, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms);
bool drop_delivery(struct tx *tx, int64_t seq, int64_t destination,
    enum delivery_state state, int64_t now_ms);
/* Creates a delivery, due now. Returns false if there is no such event, or the
 * delivery exists. */
bool replay_make(
    struct tx *tx, int64_t seq, int64_t destination, int64_t now_ms);
/* Makes a pending delivery that waits for its time due now. Returns false if
 * not waiting. */
bool replay_hurry(
    struct tx *tx, int64_t seq, int64_t destination, int64_t now_ms);
/* To be called before an event gets a delivery or is erased: removes the event
 * from the count of unwanted events, if counted there. */
void replay_count_wanted(struct tx *tx, int64_t seq);

/* ---- hold.c ---- */

/* Requests, in one transaction, RETRY_PROBE of these destinations. */
enum store_status hold_ask_probes(
    struct store *store, const int64_t *destinations, size_t count);

/* SQL for the time during which a row of `destinations` was paused or held
 * until `now`. */
#define SQL_HELD_AT(now)                                                       \
	"(held_total_ms + coalesce(max(0, iif(paused_at_ms IS NULL, "          \
	"min(" now ", hold_until_ms), " now ") - held_since_ms), 0))"

/* Returns until when a destination is held at `now_ms`; 0: not held. A hold
 * longer than the longest Retry-After counts as none. */
int64_t hold_until(int64_t until_ms, int64_t now_ms);

/* ---- filter.c ---- */

struct sql_bytes;

/* The fields of an event for a filter; borrowed, NULL: absent. */
struct filter_facts {
	int64_t received_at_ms;
	const char *community;
	const char *event_type;
	const char *ticket_id;
	const char *note_id;
};

/* Returns whether the event meets the conditions, except state, destination and
 * body. */
bool filter_is_met(
    const struct list_filter *filter, const struct filter_facts *facts);

/* Return whether the filter searches bodies, and whether it matches this body
 * (see tx.h). */
bool filter_has_search(const struct list_filter *filter);
bool filter_is_found(
    const struct list_filter *filter, const struct sql_bytes *body);

/* Returns whether `wall_ms` is before the bound, or there is no bound. */
bool filter_is_before(const struct time_bound *bound, int64_t wall_ms);

/* Reads the state to filter by. Returns false if none is set. */
bool filter_delivery_state(
    const struct list_filter *filter, enum delivery_state *state);

/* ---- erase.c; see tx.h ---- */

/* Overwrites and removes an event with nothing pending, and everything that
 * belongs to the event. Returns false if there is none. */
bool erase_event(struct tx *tx, int64_t seq, int64_t *body_bytes);

/* Overwrites and removes a refused body. */
void erase_refusal(struct tx *tx, int64_t seq);

/* ---- scrub.c ---- */

/* Removes every trace of erased rows from the files: empties the log into the
 * database, and overwrites the database's unused bytes. STORE_BUSY, with `why`:
 * a reader blocked for `wait_ms`. */
enum store_status scrub_files(struct store *store, int64_t wait_ms);

/* ---- capture.c ---- */

/* In a transaction: inserts an event and sets its result. A row that the schema
 * refuses is undone alone, and the status is STORE_OK. */
enum store_status capture_insert(struct store *store, struct capture *capture);

#endif
