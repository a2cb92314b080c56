/*
 * Attempts: one HTTP POST each, many at once. Only this file, egress and look
 * see libcurl. Knows neither the spool nor the schedule: sends exactly the
 * given bytes and reports the answer. No answer of a destination ends the
 * process or uses more than a bounded amount of memory. The process must ignore
 * SIGPIPE.
 */
#ifndef HOOKSPOOL_DELIVER_H
#define HOOKSPOOL_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct destination_config;
struct deliver;
struct look;

#define DELIVER_ANSWER_MAX_BYTES 1024 /* kept bytes of an answer */

/* The request of an attempt; all borrowed until the attempt has ended. */
struct deliver_request {
	const struct destination_config *destination;
	const char *id;           /* of the event; NULL: a POST as from the
				     sender, without headers of ours */
	const char *event_type;   /* never NULL with an id */
	const char *content_type; /* as stored; NULL: none was sent */
	const void *body;
	size_t body_bytes;
	struct look *look; /* NULL: deliver; else look, see look.h */
	int attempt;       /* 1 for the first */
	int64_t now_ms;    /* wall clock, for webhook-timestamp */
};

/* The result of an attempt. */
struct deliver_result {
	bool is_delivered;     /* a final 2xx came and the whole body was
				  sent. However the rest of the answer ended,
				  another attempt would make a duplicate */
	int status;            /* HTTP status; 0: no answer */
	char error[256];       /* a sentence; "": none, or delivered */
	const char *our_fault; /* a fault of this machine that made the
				  attempt fail, and its remedy; a constant.
				  NULL: no such fault */
	char retry_after[64];  /* the header's value; "": none */
	char answer[DELIVER_ANSWER_MAX_BYTES];
	size_t answer_bytes;
	int64_t duration_ms;
};

/* Makes a deliver, never NULL, for the caller to free with deliver_free. Keeps
 * up to `in_flight_max` connections open. */
struct deliver *deliver_new(int in_flight_max);

/* Changes in_flight_max, after a reload. */
void deliver_set_in_flight_max(struct deliver *deliver, int in_flight_max);

/* Breaks off running attempts and frees everything. NULL-safe. */
void deliver_free(struct deliver *deliver);

/* Starts an attempt. deliver_next returns `owner`, which must not be NULL. An
 * attempt that cannot start ends like a failed one. */
void deliver_start(struct deliver *deliver,
    const struct deliver_request *request, void *owner);

/* Works on the attempts. Waits, at most `timeout_ms`, until one makes progress
 * or one of `fds` (none negative) is readable. */
void deliver_wait(
    struct deliver *deliver, const int *fds, size_t fd_count, int timeout_ms);

/* Returns the owner and result of an ended attempt; NULL: no more. Reads at
 * most 64 KiB of each answer. */
void *deliver_next(struct deliver *deliver, struct deliver_result *result);

/* Breaks off the attempt of `owner`, so that no more of its body goes out.
 * Returns false if the attempt has ended and deliver_next will return its
 * result. */
bool deliver_break_off(
    struct deliver *deliver, const void *owner, struct deliver_result *result);

/* Breaks off any running attempt and returns its owner; NULL: none runs. For
 * the end of the process. */
void *deliver_abandon(struct deliver *deliver, struct deliver_result *result);

/* Performs one POST from start to end, for `hookspool send`. Returns whether it
 * was delivered. */
bool deliver_post(
    const struct deliver_request *request, struct deliver_result *result);

#endif
