/*
 * Erasing much while others capture: nobody waits long for the lock. How many
 * events there are is ERASE_LOAD_EVENTS, 3000 if that is not set; how long it
 * took, and the worst wait, are printed.
 */
#include "config.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "delivery_fixture.h"
#include "spool/store_internal.h"

#define BATCH         50
#define WORST_MAX_MS  3000 /* a lock held for long, on a slow machine */
#define TICKET_EVERY  100  /* of so many events one is of the ticket */
#define MESSAGE_BYTES 700

static int64_t
events_asked(void)
{
	const char *text = getenv("ERASE_LOAD_EVENTS");

	return text != NULL ? strtoll(text, NULL, 10) : 3000;
}

/* Stores them in groups, every TICKET_EVERY-th of ticket 777. */
static void
fill(struct fixture *fixture, int64_t events)
{
	struct capture batch[BATCH];
	char message[MESSAGE_BYTES + 1];
	int64_t i;
	int n;

	memset(message, '.', MESSAGE_BYTES);
	message[MESSAGE_BYTES] = '\0';
	for (i = 0; i < events; i += BATCH) {
		for (n = 0; n < BATCH; n++)
			batch[n] = fixture_capture(xasprintf(
			    "{\"EventType\":\"x\",\"Events\":[{"
			    "\"TicketId\":%d,\"Author\":{\"Email\":"
			    "\"someone@example.org\"},"
			    "\"Message\":\"%s\"}]}",
			    (i + n) % TICKET_EVERY == 0 ? 777 : 778, message));
		store_capture(
		    fixture->store, batch, BATCH, clock_mono_ms() + 60000);
		for (n = 0; n < BATCH; n++) {
			assert_int_equal(batch[n].result, CAPTURE_STORED);
			free((char *)(uintptr_t)batch[n].body);
		}
	}
}

/* ---- who captures meanwhile ---- */

struct capturer {
	const char *path;
	pthread_t thread;
	atomic_bool is_over;
	int64_t count;
	int64_t worst_ms;
};

static void *
capture_on(void *arg)
{
	struct capturer *capturer = arg;
	struct store *store = fixture_open(capturer->path, STORE_CAPTURE);

	while (!capturer->is_over) {
		int64_t begun_ms = clock_mono_ms(), took_ms;

		fixture_store(store, "{\"EventType\":\"x\",\"Events\":[]}");
		took_ms = clock_mono_ms() - begun_ms;
		capturer->count++;
		if (took_ms > capturer->worst_ms)
			capturer->worst_ms = took_ms;
	}
	store_close(store);
	return NULL;
}

static void
begin(struct capturer *capturer, struct fixture *fixture)
{
	*capturer = (struct capturer){.path = fixture->path};
	assert_int_equal(
	    pthread_create(&capturer->thread, NULL, capture_on, capturer), 0);
}

static void
end(struct capturer *capturer, const char *what, int64_t begun_ms)
{
	capturer->is_over = true;
	pthread_join(capturer->thread, NULL);
	print_message("# %s: %lld ms; meanwhile %lld captures, the worst "
		      "waited %lld ms\n",
	    what, (long long)(clock_mono_ms() - begun_ms),
	    (long long)capturer->count, (long long)capturer->worst_ms);
	assert_in_range(capturer->worst_ms, 0, WORST_MAX_MS);
}

/* ---- the two ways to erase ---- */

static void
erasing_a_ticket_lets_captures_pass(void **state)
{
	struct fixture *fixture = *state;
	const struct erasure erasure = {.ticket = "777"};
	const struct erase_options options = {.mode = CHANGE_MAKE};
	int64_t events = events_asked(), begun_ms;
	struct capturer capturer;
	struct erase_counts counts;

	fill(fixture, events);
	begun_ms = clock_mono_ms();
	begin(&capturer, fixture);
	if (store_erase(fixture->store, &erasure, &options, &counts) !=
		STORE_OK ||
	    !counts.is_clean)
		fail_msg("%s", store_why(fixture->store));
	end(&capturer, "a ticket", begun_ms);
	assert_int_equal(counts.events, events / TICKET_EVERY);
}

static void
retention_lets_captures_pass(void **state)
{
	struct fixture *fixture = *state;
	const struct retention retention = {
	    .now_ms = BEGIN_MS + 2 * DAY_MS, .retain_ms = DAY_MS};
	int64_t events = events_asked(), erased = 0, sum = 0, begun_ms, id;
	struct capturer capturer;
	bool is_more = true;

	delivery_configure(fixture, &id, "crm", NULL);
	fill(fixture, events);
	delivery_route(fixture, &id, 0);
	begun_ms = clock_mono_ms();
	begin(&capturer, fixture);
	while (is_more) {
		if (store_erase_old(fixture->store, &retention, &erased,
			&is_more) != STORE_OK)
			fail_msg("%s", store_why(fixture->store));
		sum += erased;
	}
	end(&capturer, "retention", begun_ms);
	assert_int_equal(sum, events);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(erasing_a_ticket_lets_captures_pass,
		delivery_setup, delivery_teardown),
	    cmocka_unit_test_setup_teardown(retention_lets_captures_pass,
		delivery_setup, delivery_teardown),
	};

	return cmocka_run_group_tests_name("erase_load", tests, NULL, NULL);
}
