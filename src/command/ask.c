/*
 * Sends requests to a relay: see ask.h. Repeats the request from time to time,
 * because a relay that is starting or ending may miss one. Never sends to a
 * relay other than the intended one.
 */
#include "config.h"

#include "command/ask.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"

#define POLL_MS       10
#define SEND_AGAIN_MS 3000
#define FOLLOWED_MS   2000 /* for the next relay to take the lock */

static bool
is_same(const struct relay_holder *a, const struct relay_holder *b)
{
	return a->pid == b->pid && a->started_at_ms == b->started_at_ms;
}

/* Waits until `before` no longer runs. Returns 0, or the errno of the last
 * request. */
static int
send_until_it_ends(const char *path, enum wake_request request,
    const struct relay_holder *before, int64_t until_ms)
{
	int64_t send_ms = clock_mono_ms();
	struct relay_holder now;
	int error = 0;

	while (store_read_relay(path, &now) && is_same(&now, before) &&
	       clock_mono_ms() < until_ms) {
		if (clock_mono_ms() >= send_ms) {
			error =
			    wake_ask(path, request) == WAKE_FAILED ? errno : 0;
			send_ms = clock_mono_ms() + SEND_AGAIN_MS;
		}
		poll(NULL, 0, POLL_MS);
	}
	return error;
}

enum ask
ask_relay(const char *path, enum wake_request request,
    const struct relay_holder *before, bool is_followed, int64_t wait_ms,
    struct relay_holder *now)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	int error = send_until_it_ends(path, request, before, until_ms);
	bool is_held = store_read_relay(path, now);

	if (is_held && is_same(now, before)) {
		errno = error;
		return error != 0 ? ASK_FAILED : ASK_DEAF;
	}
	until_ms = clock_mono_ms() + (is_followed ? FOLLOWED_MS : 0);
	while (!is_held && clock_mono_ms() < until_ms) {
		poll(NULL, 0, POLL_MS);
		is_held = store_read_relay(path, now);
	}
	return is_held ? ASK_REPLACED : ASK_ENDED;
}
