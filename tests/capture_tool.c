/*
 * Captures events into a spool, for tests that inject faults from outside:
 *     capture_tool SPOOL THREADS COUNT BODY_BYTES
 * Each thread stores COUNT events; the body is the event's id again and again.
 * An id is printed only after store_capture said that it is stored. With 0
 * THREADS it only looks, as a command that changes nothing would. Exit
 * status 0: all stored; 1: some not; 75: the spool is broken.
 */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "event/event.h"
#include "spool/store_internal.h"

static char type[] = "test";
static const struct event an_event = {.type = type};

struct task {
	struct store *store;
	long count;
	size_t body_bytes;
};

static atomic_long failed_count;

static void
store_one(const struct task *task, char *body)
{
	struct capture capture = {.received_at_ms = clock_wall_ms(),
	    .event = &an_event,
	    .body = body,
	    .body_bytes = task->body_bytes};
	char line[UUID_TEXT_SIZE + 1];
	size_t i;
	int len;

	uuid_make(capture.received_at_ms, capture.id);
	for (i = 0; i < task->body_bytes; i++)
		body[i] = capture.id[i % (UUID_TEXT_SIZE - 1)];
	store_capture(task->store, &capture, 1, clock_mono_ms() + 30000);
	if (capture.result != CAPTURE_STORED) {
		failed_count++;
		return;
	}
	len = snprintf(line, sizeof line, "%s\n", capture.id);
	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		_exit(3);
}

static void *
run_task(void *arg)
{
	const struct task *task = arg;
	char *body = xmalloc(task->body_bytes + 1);
	long i;

	for (i = 0; i < task->count && !store_is_broken(task->store); i++)
		store_one(task, body);
	free(body);
	return NULL;
}

static int
look(struct store *store)
{
	struct store_summary summary;

	if (store_summarize(store, clock_wall_ms(), &summary) != STORE_OK)
		return 75;
	store_free_summary(&summary);
	return 0;
}

static void
run_all(struct task *task, long threads)
{
	pthread_t *ids = xcalloc((size_t)threads, sizeof *ids);
	int64_t begun = clock_mono_ms();
	long i;

	for (i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, run_task, task) != 0)
			abort();
	for (i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	fprintf(stderr, "%ld events, %lld commits, %lld ms\n",
	    threads * task->count, (long long)task->store->commits,
	    (long long)(clock_mono_ms() - begun));
	free(ids);
}

int
main(int argc, char **argv)
{
	struct store_options options = {.access = STORE_CAPTURE};
	long threads;
	struct task task = {0};
	enum store_status opened;
	int status = 0;
	struct buf why;

	if (argc != 5)
		return 2;
	buf_init(&why, 1000);
	options.path = argv[1];
	threads = strtol(argv[2], NULL, 10);
	if (threads == 0)
		options.access = STORE_READ;
	opened = store_open(&options, &task.store, &why);
	if (opened != STORE_OK) {
		fprintf(stderr, "%s\n", buf_text(&why));
		return opened == STORE_FULL ? 1 : 75;
	}
	task.count = strtol(argv[3], NULL, 10);
	task.body_bytes = strtoul(argv[4], NULL, 10);
	if (threads == 0)
		status = look(task.store);
	else
		run_all(&task, threads);
	if (store_is_broken(task.store))
		status = 75;
	else if (failed_count > 0)
		status = 1;
	if (status != 0)
		fprintf(stderr, "%s\n", store_why(task.store));
	store_close(task.store);
	buf_free(&why);
	return status;
}
