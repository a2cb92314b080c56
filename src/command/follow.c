/*
 * Shows events as they come: see follow.h. Every commit writes to the spool
 * folder, and the kernel reports the write (inotify). So following costs
 * nothing while nothing comes.
 */
#include "config.h"

#include "command/follow.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/uuid.h"
#include "command/command.h"
#include "command/listing.h"
#include "command/print.h"
#include "command/progress.h"
#include "conf/conf.h"
#include "spool/spool.h"

#define TOGETHER_MS     100 /* collects more events before reading */
#define WITHOUT_WATCH_S 1   /* poll interval without inotify */
#define SHORT_ID_LEN    12  /* the random end of the id */
#define TYPE_WIDTH      24

struct following {
	struct call *call;
	struct listing listing; /* for JSON */
	int64_t seq;            /* events after this one are not shown yet */
	int watch_fd;           /* -1: no inotify */
	sigset_t waiting_mask;  /* while waiting; signals are blocked
				   otherwise */
};

/* ---- the output ---- */

static void
print_padded(const char *text, size_t width)
{
	struct buf safe;
	size_t used;

	buf_init(&safe, PRINT_MAX_BYTES);
	print_add_safe(&safe, text, strlen(text));
	used = print_width(buf_text(&safe));
	printf("%s%*s  ", buf_text(&safe),
	    used < width ? (int)(width - used) : 0, "");
	buf_free(&safe);
}

/* Prints an event. Its deliveries are not known yet. */
static void
print_line(const struct event_row *event)
{
	struct buf time;

	buf_init(&time, 64);
	print_add_time(&time, event->received_at_ms);
	printf("%s  %s  ", buf_text(&time),
	    event->id + UUID_TEXT_SIZE - 1 - SHORT_ID_LEN);
	print_padded(event->event_type, TYPE_WIDTH);
	print_safe(event->ticket_id);
	putchar('\n');
	buf_free(&time);
}

static bool
show(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	struct following *following = arg;

	if (following->listing.is_json)
		return listing_add(
		    &following->listing, event, deliveries, count);
	print_line(event);
	return true;
}

/* ---- the beginning ---- */

static bool
note_seq(void *arg, const struct event_row *event,
    const struct delivery_row *deliveries, size_t count)
{
	int64_t *seq = arg;

	(void)deliveries;
	(void)count;
	if (*seq < 0 || event->seq <= *seq)
		*seq = event->seq - 1;
	return true;
}

static bool
show_progress(void *arg, int64_t looked_at)
{
	return progress_show(arg, looked_at);
}

/* Starts before the oldest of the newest matching events, as many as the limit;
 * after all events if none matches. */
static enum store_status
find_begin(struct following *following, struct progress *progress)
{
	static const struct list_filter newest = {.limit = 1};
	struct list_filter *filter = &following->call->filter;
	struct store *store = following->call->store;
	int64_t last = -1;
	enum store_status status;

	filter->progress = show_progress;
	filter->progress_arg = progress;
	status = store_list(store, &newest, note_seq, &last);
	if (status == STORE_OK)
		status = store_list(store, filter, note_seq, &following->seq);
	if (following->seq < 0)
		following->seq = last + 1;
	progress_end(progress);
	filter->progress = NULL;
	filter->limit = 0;
	return status;
}

/* ---- waiting ---- */

static void
block_signals(struct following *following)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &following->waiting_mask);
}

static void
watch(struct following *following)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd >= 0 &&
	    inotify_add_watch(fd, following->call->config->spool.path,
		IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		close(fd);
		fd = -1;
	}
	following->watch_fd = fd;
}

/* Waits for a write or a signal. */
static void
wait_for_writing(const struct following *following)
{
	struct pollfd fd = {.fd = following->watch_fd, .events = POLLIN};
	struct timespec together = {.tv_nsec = TOGETHER_MS * 1000000L};
	struct timespec blind = {.tv_sec = WITHOUT_WATCH_S};
	char changes[4096];

	if (ppoll(&fd, 1, fd.fd < 0 ? &blind : NULL, &following->waiting_mask) >
	    0)
		ppoll(NULL, 0, &together, &following->waiting_mask);
	while (fd.fd >= 0 && read(fd.fd, changes, sizeof changes) > 0)
		continue;
}

static enum store_status
show_new(struct following *following)
{
	struct store *store = following->call->store;
	enum store_status status = store_list_after(
	    store, &following->call->filter, &following->seq, show, following);

	if (status == STORE_OK)
		status = store_check_files(store);
	/* Locked for a while: try again at the next change. */
	return status == STORE_BUSY ? STORE_OK : status;
}

int
follow(struct call *call, bool is_json)
{
	struct progress progress;
	struct following following = {.call = call,
	    .seq = -1,
	    .listing = {.is_json = is_json, .progress = &progress}};
	enum store_status status;

	progress_begin(&progress, "events searched");
	watch(&following);
	status = find_begin(&following, &progress);
	block_signals(&following);
	if (!is_json && status == STORE_OK)
		puts("RECEIVED                 ID            TYPE              "
		     "        TICKET");
	while (status == STORE_OK) {
		status = show_new(&following);
		if (fflush(stdout) != 0 || progress_is_stopped())
			break;
		if (status == STORE_OK)
			wait_for_writing(&following);
	}
	if (following.watch_fd >= 0)
		close(following.watch_fd);
	return status == STORE_OK ? STATUS_FINE
				  : command_fail("%s", store_why(call->store));
}
