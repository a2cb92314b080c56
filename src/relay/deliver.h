/*
 * Attempts: one HTTP POST each, many under way at once. With egress and
 * look the only file that sees libcurl. It knows neither the spool nor when to
 * try again: it sends exactly the bytes it is given and tells what came back.
 * Nothing that a destination answers ends the process or takes more than a
 * bounded amount of memory. SIGPIPE must be ignored by the process.
 */
#ifndef HOOKSPOOL_DELIVER_H
#define HOOKSPOOL_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct destination_config;
struct deliver;
struct look;

#define DELIVER_ANSWER_MAX_BYTES 1024 /* of an answer that are kept */

/* What to send and where; all borrowed until the attempt has ended. */
struct deliver_request {
	const struct destination_config *destination;
	const char *id;           /* of the event; NULL: a POST as the sender
				     makes it, with none of our own headers */
	const char *event_type;   /* never NULL where there is an id */
	const char *content_type; /* as stored; NULL: none was sent */
	const void *body;
	size_t body_bytes;
	struct look *look; /* NULL: to deliver; else to look, see look.h */
	int attempt;       /* 1 for the first */
	int64_t now_ms;    /* the wall clock, for webhook-timestamp */
};

/* What came back. */
struct deliver_result {
	bool is_delivered;     /* a final 2xx came and all of the body was sent:
				  whatever became of the rest of the answer,
				  to send it again would make a duplicate */
	int status;            /* HTTP status; 0: no answer */
	char error[256];       /* a sentence; "": none, or it is delivered */
	const char *our_fault; /* it failed since this machine lacks something:
				  what, and what to do; a constant. NULL: not
				  for that */
	char retry_after[64];  /* the header's value; "": none */
	char answer[DELIVER_ANSWER_MAX_BYTES];
	size_t answer_bytes;
	int64_t duration_ms;
};

/* Never NULL; the caller frees it with deliver_free. `in_flight_max` is how
 * many connections are worth keeping. */
struct deliver *deliver_new(int in_flight_max);

/* Another such number, after a reload. */
void deliver_set_in_flight_max(struct deliver *deliver, int in_flight_max);

/* Breaks off what is under way. NULL-safe. */
void deliver_free(struct deliver *deliver);

/* Starts an attempt. `owner` names it in deliver_next and must not be NULL.
 * An attempt that cannot even start ends like one that failed. */
void deliver_start(struct deliver *deliver,
    const struct deliver_request *request, void *owner);

/* Works on the attempts; waits, at most `timeout_ms`, until one of them moves
 * or one of `fds` (none negative) can be read. */
void deliver_wait(
    struct deliver *deliver, const int *fds, size_t fd_count, int timeout_ms);

/* The owner of an attempt that has ended, with its result; NULL: no more. Of
 * an answer no more than 64 KiB are read. */
void *deliver_next(struct deliver *deliver, struct deliver_result *result);

/* Breaks off the attempt of `owner`, so that no more of its body goes out;
 * false: it has ended, deliver_next gives
 * it. */
bool deliver_break_off(
    struct deliver *deliver, const void *owner, struct deliver_result *result);

/* Breaks off an attempt that is under way and gives its owner; NULL: none is.
 * For the end of the process. */
void *deliver_abandon(struct deliver *deliver, struct deliver_result *result);

/* One POST, start to end, for `hookspool send`. True if it was delivered. */
bool deliver_post(
    const struct deliver_request *request, struct deliver_result *result);

#endif
