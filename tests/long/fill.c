/*
 * Captures many events into a spool, as an endpoint would, for the long runs:
 *     fill SPOOL COUNT TICKETS RATE BODY_BYTES FIRST
 * They are numbered from FIRST, belong to TICKETS tickets in turn, and come
 * RATE a second (0: as fast as can be). The relay is woken after each commit.
 * Body: {"n": number, "ticket": ticket, "at_us": time of its capture, ...}.
 * Prints the milliseconds that it took. Exit status 1: one was not stored.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "event/event.h"
#include "spool/spool.h"
#include "wake/wake.h"

#define BATCH_MAX 64 /* in one commit */

static char type[] = "ticket_status_change";
static char community[] = "Example";

struct fill {
	struct store *store;
	const char *path;
	long count;
	long tickets;
	long rate; /* 0: no limit */
	size_t body_bytes;
	long first;
	int64_t begun_ms;
};

/* What one batch points into. */
struct slot {
	struct event event;
	char ticket[32];
	char *body;
};

static int64_t
wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct capture
make_capture(const struct fill *fill, struct slot *slot, long number)
{
	struct capture capture = {.received_at_ms = clock_wall_ms(),
	    .event = &slot->event,
	    .content_type = "application/json",
	    .remote_addr = "127.0.0.1",
	    .body = slot->body,
	    .body_bytes = fill->body_bytes};
	long ticket = number % fill->tickets;
	int len;

	uuid_make(capture.received_at_ms, capture.id);
	snprintf(slot->ticket, sizeof slot->ticket, "%ld", ticket);
	slot->event = (struct event){
	    .type = type, .community = community, .ticket = slot->ticket};
	memset(slot->body, ' ', fill->body_bytes);
	len = snprintf(slot->body, fill->body_bytes,
	    "{\"n\": %ld, \"ticket\": %ld, \"at_us\": %lld, \"x\": \"\"",
	    number, ticket, (long long)wall_us());
	slot->body[len] = ' ';
	slot->body[fill->body_bytes - 1] = '}';
	return capture;
}

static bool
store_batch(const struct fill *fill, struct slot *slots, long from, long count)
{
	struct capture batch[BATCH_MAX];
	long i;

	for (i = 0; i < count; i++)
		batch[i] =
		    make_capture(fill, &slots[i], fill->first + from + i);
	store_capture(
	    fill->store, batch, (size_t)count, clock_mono_ms() + 60000);
	wake_send(fill->path);
	for (i = 0; i < count; i++)
		if (batch[i].result != CAPTURE_STORED)
			return false;
	return true;
}

/* How many of `left` are due by now; waits until one is. */
static long
await_due(const struct fill *fill, long done)
{
	long due = fill->count;

	if (fill->rate > 0) {
		struct timespec millisecond = {.tv_nsec = 1000000};

		for (;;) {
			due = (long)((clock_mono_ms() - fill->begun_ms) *
				     fill->rate / 1000);
			if (due > done)
				break;
			nanosleep(&millisecond, NULL);
		}
	}
	if (due > fill->count)
		due = fill->count;
	return due - done < BATCH_MAX ? due - done : BATCH_MAX;
}

static bool
fill_all(struct fill *fill)
{
	struct slot slots[BATCH_MAX];
	long i, done = 0, count;
	bool is_fine = true;

	for (i = 0; i < BATCH_MAX; i++)
		slots[i].body = xmalloc(fill->body_bytes);
	for (; done < fill->count && is_fine; done += count) {
		count = await_due(fill, done);
		is_fine = store_batch(fill, slots, done, count);
	}
	for (i = 0; i < BATCH_MAX; i++)
		free(slots[i].body);
	return is_fine;
}

int
main(int argc, char **argv)
{
	struct store_options options = {.access = STORE_CAPTURE};
	struct fill fill = {.begun_ms = clock_mono_ms()};
	bool is_fine = false;
	struct buf why;

	if (argc != 7)
		return 2;
	options.path = fill.path = argv[1];
	fill.count = strtol(argv[2], NULL, 10);
	fill.tickets = strtol(argv[3], NULL, 10);
	fill.rate = strtol(argv[4], NULL, 10);
	fill.body_bytes = strtoul(argv[5], NULL, 10);
	fill.first = strtol(argv[6], NULL, 10);
	if (fill.tickets < 1 || fill.body_bytes < 128)
		return 2;
	buf_init(&why, 1000);
	if (store_open(&options, &fill.store, &why) != STORE_OK) {
		fprintf(stderr, "%s\n", buf_text(&why));
	} else {
		is_fine = fill_all(&fill);
		if (!is_fine)
			fprintf(stderr, "%s\n", store_why(fill.store));
		store_close(fill.store);
	}
	buf_free(&why);
	printf("%lld\n", (long long)(clock_mono_ms() - fill.begun_ms));
	return is_fine ? 0 : 1;
}
