/*
 * Capture with group commit. Callers queue; the first in the queue leads. The
 * leader takes the write lock, and only then as much of the queue as one commit
 * may hold, so that all callers that came during the wait for the lock share
 * its sync. Then the leader wakes them and hands the lead to the next. Ensures:
 * 1. a result is CAPTURE_STORED only after the sync, and after a check of the
 * files; 2. a waiting caller is in the queue, or in a commit under way; 3. if
 * the queue is not empty, its first leads.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <assert.h>

#include "base/clock.h"
#include "event/event.h"

#define GROUP_MAX_COUNT 64
#define GROUP_MAX_BYTES (4 * 1024 * 1024)

enum waiter_state {
	WAITER_QUEUED,
	WAITER_LEADS, /* the first of the queue */
	WAITER_TAKEN, /* out of the queue, in a commit under way */
	WAITER_DONE   /* out of the queue, results set */
};

/* A call of store_capture, on its stack. The queue's mutex guards `state` and
 * `next`; the captures belong to the leader while it is WAITER_TAKEN. */
struct waiter {
	struct capture *batch;
	size_t count;
	size_t bytes;
	int64_t deadline_ms;
	enum waiter_state state;
	pthread_cond_t changed;
	struct waiter *next;
};

static void
set_results(struct waiter *waiter, enum capture_result result)
{
	size_t i;

	for (i = 0; i < waiter->count; i++)
		waiter->batch[i].result = result;
}

static enum capture_result
result_of(enum store_status status)
{
	switch (status) {
	case STORE_OK:
		return CAPTURE_STORED;
	case STORE_BUSY:
		return CAPTURE_LOCKED;
	case STORE_FULL:
		return CAPTURE_FULL;
	case STORE_FAILED:
	case STORE_MISSING:
	case STORE_REFUSED:
	case STORE_TOO_OLD:
	case STORE_TOO_NEW:
	case STORE_GONE:
		break;
	}
	return CAPTURE_FAILED;
}

/* ---- the queue; all of it under its mutex ---- */

static void
enqueue(struct capture_queue *queue, struct waiter *waiter)
{
	if (queue->last != NULL)
		queue->last->next = waiter;
	else
		queue->first = waiter;
	queue->last = waiter;
}

static void
dequeue(struct capture_queue *queue, struct waiter *waiter)
{
	struct waiter **link = &queue->first, *before = NULL;

	while (*link != waiter) {
		before = *link;
		link = &before->next;
	}
	*link = waiter->next;
	if (queue->last == waiter)
		queue->last = before;
}

/* Takes from the front as much as one commit may hold, always including the
 * leader. */
static struct waiter *
take_group(struct capture_queue *queue)
{
	struct waiter *group = queue->first, *last = NULL, *next = group;
	size_t count = 0, bytes = 0;

	assert(group != NULL && group->state == WAITER_LEADS);
	do {
		last = next;
		last->state = WAITER_TAKEN;
		count += last->count;
		bytes += last->bytes;
		next = last->next;
	} while (next != NULL && count + next->count <= GROUP_MAX_COUNT &&
		 bytes + next->bytes <= GROUP_MAX_BYTES);
	last->next = NULL;
	queue->first = next;
	if (next == NULL)
		queue->last = NULL;
	return group;
}

/* Wakes the callers whose results are set, and the next leader. A waiter may be
 * gone as soon as the mutex is free. */
static void
finish_group(struct capture_queue *queue, struct waiter *group)
{
	struct waiter *next;

	pthread_mutex_lock(&queue->mutex);
	for (; group != NULL; group = next) {
		next = group->next;
		group->state = WAITER_DONE;
		pthread_cond_signal(&group->changed);
	}
	if (queue->first != NULL) {
		queue->first->state = WAITER_LEADS;
		pthread_cond_signal(&queue->first->changed);
	} else {
		queue->has_leader = false;
	}
	pthread_mutex_unlock(&queue->mutex);
}

/* Waits to lead or to be done; removes the waiter from the queue if its time is
 * up before. */
static void
await_turn(struct capture_queue *queue, struct waiter *self)
{
	while (self->state == WAITER_QUEUED || self->state == WAITER_TAKEN) {
		if (self->state == WAITER_TAKEN) {
			pthread_cond_wait(&self->changed, &queue->mutex);
			continue;
		}
		if (!lock_await(
			&self->changed, &queue->mutex, self->deadline_ms) &&
		    self->state == WAITER_QUEUED) {
			dequeue(queue, self);
			set_results(self, CAPTURE_LOCKED);
			self->state = WAITER_DONE;
		}
	}
}

/* ---- the commit; all of it under the write lock ---- */

static void
bind_event(sqlite3_stmt *insert, const struct capture *capture)
{
	const struct event *event = capture->event;

	sql_bind_text(insert, 1, capture->id);
	sqlite3_bind_int64(insert, 2, capture->received_at_ms);
	sql_bind_text(insert, 3, event->community);
	sql_bind_text(insert, 4, event->type);
	sql_bind_text(insert, 5, event->ticket);
	sql_bind_text(insert, 6, event->note);
	sql_bind_text(insert, 7, event->conversation);
	sql_bind_text(insert, 8, capture->content_type);
	sql_bind_text(insert, 9, capture->remote_addr);
	sql_bind_blob(insert, 10, capture->body_bytes > 0 ? capture->body : "",
	    capture->body_bytes);
}

/* SQLite undoes a row that the schema refuses alone, so the other rows do not
 * fail: STORE_OK. */
enum store_status
capture_insert(struct store *store, struct capture *capture)
{
	sqlite3_stmt *insert = sql_prepare(store,
	    "INSERT INTO events (id, received_at_ms, community, event_type,"
	    " ticket_id, note_id, conversation_id, content_type, remote_addr,"
	    " body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	enum store_status status;
	int code;

	if (insert == NULL)
		return STORE_FAILED;
	bind_event(insert, capture);
	status = sql_run(store, insert);
	code = sqlite3_errcode(store->db);
	sqlite3_clear_bindings(insert);
	if (status == STORE_OK) {
		capture->seq = sqlite3_last_insert_rowid(store->db);
		capture->result = CAPTURE_STORED;
		return STORE_OK;
	}
	capture->result = result_of(status);
	if ((code & 0xff) == SQLITE_CONSTRAINT ||
	    (code & 0xff) == SQLITE_TOOBIG)
		return STORE_OK;
	return status;
}

static enum store_status
insert_group(struct store *store, struct waiter *group)
{
	enum store_status status = store_check_limits(store);
	size_t i;

	for (; group != NULL && status == STORE_OK; group = group->next)
		for (i = 0; i < group->count && status == STORE_OK; i++)
			status = capture_insert(store, &group->batch[i]);
	return status;
}

/* Stores the group and sets the results of all its members. */
static void
commit_group(struct store *store, struct waiter *group, int64_t deadline_ms)
{
	enum store_status status = store_begin_locked(store, deadline_ms);

	if (status == STORE_OK) {
		status = insert_group(store, group);
		if (status == STORE_OK)
			status = store_commit_locked(store);
		else
			store_rollback_locked(store);
	}
	for (; group != NULL && status != STORE_OK; group = group->next)
		set_results(group, result_of(status));
}

static void
lead(struct store *store, struct waiter *self)
{
	struct capture_queue *queue = &store->queue;
	struct waiter *group = self;
	bool is_checkpoint_due = false;
	enum store_status status;

	status = store_lock_write(store, self->deadline_ms);
	pthread_mutex_lock(&queue->mutex);
	if (status == STORE_OK) {
		group = take_group(queue);
	} else {
		dequeue(queue, self);
		self->next = NULL;
	}
	pthread_mutex_unlock(&queue->mutex);
	if (status == STORE_OK) {
		commit_group(store, group, self->deadline_ms);
		is_checkpoint_due =
		    !store->is_for_one && checkpoint_is_due(store);
		if (!is_checkpoint_due)
			store_unlock_write(store);
	} else {
		set_results(self, result_of(status));
	}
	finish_group(queue, group);
	if (is_checkpoint_due) {
		checkpoint_try(store);
		store_unlock_write(store);
	}
}

/* ---- the entry ---- */

/* Returns how many of the batch one group may hold: at least one. */
static size_t
measure(const struct capture *batch, size_t count, size_t *bytes)
{
	size_t i;

	*bytes = batch[0].body_bytes;
	for (i = 1; i < count && i < GROUP_MAX_COUNT; i++) {
		if (*bytes + batch[i].body_bytes > GROUP_MAX_BYTES)
			break;
		*bytes += batch[i].body_bytes;
	}
	return i;
}

static void
capture_part(struct store *store, struct waiter *self)
{
	struct capture_queue *queue = &store->queue;

	pthread_cond_init(&self->changed, NULL);
	pthread_mutex_lock(&queue->mutex);
	enqueue(queue, self);
	if (queue->has_leader) {
		await_turn(queue, self);
	} else {
		queue->has_leader = true;
		self->state = WAITER_LEADS;
	}
	pthread_mutex_unlock(&queue->mutex);
	if (self->state == WAITER_LEADS)
		lead(store, self);
	pthread_cond_destroy(&self->changed);
}

void
store_capture(struct store *store, struct capture *batch, size_t count,
    int64_t deadline_ms)
{
	while (count > 0) {
		struct waiter part = {.batch = batch,
		    .deadline_ms = deadline_ms,
		    .state = WAITER_QUEUED};

		part.count = measure(batch, count, &part.bytes);
		set_results(&part, CAPTURE_FAILED);
		capture_part(store, &part);
		batch += part.count;
		count -= part.count;
	}
}
