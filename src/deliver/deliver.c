/*
 * Attempts by libcurl's multi interface: see deliver.h. An attempt is flying
 * (in the multi handle), ended (its result waits for deliver_next) or idle (its
 * easy handle waits for reuse).
 */
#include "config.h"

#include "deliver/deliver.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "deliver/egress.h"
#include "deliver/headers.h"
#include "deliver/inspect.h"
#include "deliver/receive.h"

#define WAIT_FDS_MAX 4

struct attempt {
	CURL *easy;
	struct curl_slist *headers;
	void *owner;
	int64_t started_mono_ms;
	size_t body_bytes; /* to send */
	struct receive receive;
	struct egress egress;
	bool is_unset; /* setting up failed: do not send */
	char curl_error[CURL_ERROR_SIZE];
	struct deliver_result result;
	size_t index;         /* while flying: position in deliver->flying */
	struct attempt *next; /* while ended or idle */
};

struct deliver {
	CURLM *multi;
	struct attempt **flying;
	size_t flying_count;
	size_t flying_size;
	struct attempt *ended;
	struct attempt **ended_end;
	struct attempt *idle;
	bool is_resetting; /* reset the connections closed now */
};

/* ---- the request ---- */

static void
add_header(struct attempt *attempt, const char *line)
{
	struct curl_slist *list = curl_slist_append(attempt->headers, line);

	if (list == NULL)
		abort(); /* out of memory */
	attempt->headers = list;
}

/* Sets the headers. The empty Expect keeps libcurl from waiting a second for
 * 100 Continue. */
static void
set_headers(struct attempt *attempt, const struct deliver_request *request)
{
	struct text_list lines = {.count = 0};
	size_t i;

	if (!headers_build(request, &lines)) {
		snprintf(attempt->curl_error, sizeof attempt->curl_error,
		    "the signature cannot be computed");
		attempt->is_unset = true;
	}
	add_header(attempt, "Expect:");
	for (i = 0; i < lines.count; i++)
		add_header(attempt, lines.items[i]);
	headers_free(&lines);
}

#define SET(attempt, option, value)                                            \
	do {                                                                   \
		if (curl_easy_setopt((attempt)->easy, (option), (value)) !=    \
		    CURLE_OK)                                                  \
			(attempt)->is_unset = true;                            \
	} while (0)

/* Closes a socket, with a reset if the body must not go out. Without a reset
 * the kernel would still send what it has accepted, up to megabytes. */
static int
close_socket(void *arg, curl_socket_t fd)
{
	const struct deliver *deliver = arg;
	const struct linger none = {.l_onoff = 1, .l_linger = 0};

	if (deliver->is_resetting)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	return close(fd);
}

/* Sets the callbacks. A connection may outlive the attempt that opened it, but
 * not `deliver`. */
static void
set_callbacks(struct attempt *attempt, struct deliver *deliver)
{
	SET(attempt, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	SET(attempt, CURLOPT_CLOSESOCKETDATA, deliver);
	SET(attempt, CURLOPT_PRIVATE, attempt);
	SET(attempt, CURLOPT_ERRORBUFFER, attempt->curl_error);
	SET(attempt, CURLOPT_WRITEFUNCTION, receive_body);
	SET(attempt, CURLOPT_WRITEDATA, &attempt->receive);
	SET(attempt, CURLOPT_HEADERFUNCTION, receive_header);
	SET(attempt, CURLOPT_HEADERDATA, &attempt->receive);
}

static void
set_up(struct deliver *deliver, struct attempt *attempt,
    const struct deliver_request *request)
{
	attempt->started_mono_ms = clock_mono_ms();
	attempt->body_bytes = request->body_bytes;
	attempt->receive.result = &attempt->result;
	attempt->egress.look = request->look;
	if (!egress_set(&attempt->egress, attempt->easy, request->destination))
		attempt->is_unset = true;
	SET(attempt, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	set_callbacks(attempt, deliver);
	set_headers(attempt, request);
	SET(attempt, CURLOPT_USERAGENT, "hookspool/" PACKAGE_VERSION);
	SET(attempt, CURLOPT_HTTPHEADER, attempt->headers);
	SET(attempt, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)request->body_bytes);
	SET(attempt, CURLOPT_POSTFIELDS,
	    request->body_bytes > 0 ? request->body : "");
	if (request->look != NULL && !look_set_up(attempt->easy, request->look))
		attempt->is_unset = true;
}

/* ---- the end of an attempt ---- */

static const char *
error_sentence(const struct attempt *attempt, CURLcode code)
{
	if (attempt->egress.guard.is_cause)
		return "the address is private, and allow_private is not set";
	if (receive_is_overrun(&attempt->receive))
		return "the answer's headers are longer than 64 KiB";
	if (attempt->curl_error[0] != '\0')
		return attempt->curl_error;
	return curl_easy_strerror(code);
}

/* Returns what went wrong; "" if nothing did except, maybe, the status. */
static const char *
reason(const struct attempt *attempt, CURLcode code)
{
	bool is_whole =
	    code == CURLE_OK ||
	    (code == CURLE_WRITE_ERROR && receive_is_enough(&attempt->receive));

	if (!is_whole)
		return error_sentence(attempt, code);
	if (attempt->result.status / 100 == 3)
		return "a redirect, which is not followed";
	if (attempt->result.status / 100 == 2)
		return "the answer came before the whole body was sent";
	return "";
}

/* Returns the final status; 0: none came. A proxy's answer does not count. */
static int
final_status(const struct attempt *attempt)
{
	long status = 0;

	if (attempt->receive.header_bytes > 0)
		curl_easy_getinfo(
		    attempt->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 ? (int)status : 0;
}

static void
conclude(struct attempt *attempt, CURLcode code)
{
	struct deliver_result *result = &attempt->result;
	curl_off_t sent_bytes = 0;

	curl_easy_getinfo(attempt->easy, CURLINFO_SIZE_UPLOAD_T, &sent_bytes);
	result->status = final_status(attempt);
	result->duration_ms = clock_mono_ms() - attempt->started_mono_ms;
	result->is_delivered = result->status / 100 == 2 &&
			       sent_bytes == (curl_off_t)attempt->body_bytes;
	if (!result->is_delivered)
		snprintf(result->error, sizeof result->error, "%s",
		    reason(attempt, code));
	if (!result->is_delivered && result->status == 0)
		result->our_fault = egress_fault(&attempt->egress, (int)code);
	if (attempt->egress.look != NULL)
		look_take(attempt->easy, (int)code,
		    attempt->egress.guard.is_cause, result->error,
		    attempt->egress.look);
}

/* ---- attempts ---- */

static struct attempt *
attempt_new(void)
{
	struct attempt *attempt = xcalloc(1, sizeof *attempt);

	attempt->easy = curl_easy_init();
	if (attempt->easy == NULL)
		abort(); /* out of memory */
	return attempt;
}

static void
attempt_free(struct attempt *attempt)
{
	if (attempt == NULL)
		return;
	curl_easy_cleanup(attempt->easy);
	curl_slist_free_all(attempt->headers);
	free(attempt);
}

/* Makes the attempt like new, but keeps the easy handle. */
static void
attempt_reset(struct attempt *attempt)
{
	CURL *easy = attempt->easy;

	curl_easy_reset(easy);
	curl_slist_free_all(attempt->headers);
	*attempt = (struct attempt){.easy = easy};
}

static void
take_off(struct deliver *deliver, struct attempt *attempt)
{
	if (deliver->flying_count == deliver->flying_size) {
		deliver->flying_size = deliver->flying_size * 2 + 8;
		deliver->flying = xreallocarray(deliver->flying,
		    deliver->flying_size, sizeof *deliver->flying);
	}
	attempt->index = deliver->flying_count;
	deliver->flying[deliver->flying_count++] = attempt;
}

static void
land(struct deliver *deliver, struct attempt *attempt)
{
	struct attempt *last = deliver->flying[--deliver->flying_count];

	assert(deliver->flying[attempt->index] == attempt);
	deliver->flying[attempt->index] = last;
	last->index = attempt->index;
	curl_multi_remove_handle(deliver->multi, attempt->easy);
}

static void
add_ended(struct deliver *deliver, struct attempt *attempt)
{
	attempt->next = NULL;
	*deliver->ended_end = attempt;
	deliver->ended_end = &attempt->next;
}

/* Hands out the result, makes the attempt idle, and returns its owner. */
static void *
retire(struct deliver *deliver, struct attempt *attempt,
    struct deliver_result *result)
{
	void *owner = attempt->owner;

	*result = attempt->result;
	attempt_reset(attempt);
	attempt->next = deliver->idle;
	deliver->idle = attempt;
	return owner;
}

/* ---- the interface ---- */

struct deliver *
deliver_new(int in_flight_max)
{
	struct deliver *deliver = xcalloc(1, sizeof *deliver);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (deliver->multi = curl_multi_init()) == NULL)
		abort(); /* out of memory */
	deliver_set_in_flight_max(deliver, in_flight_max);
	deliver->ended_end = &deliver->ended;
	return deliver;
}

void
deliver_set_in_flight_max(struct deliver *deliver, int in_flight_max)
{
	curl_multi_setopt(
	    deliver->multi, CURLMOPT_MAXCONNECTS, (long)in_flight_max);
}

static void
free_list(struct attempt *attempt)
{
	struct attempt *next;

	for (; attempt != NULL; attempt = next) {
		next = attempt->next;
		attempt_free(attempt);
	}
}

void
deliver_free(struct deliver *deliver)
{
	struct deliver_result unused;

	if (deliver == NULL)
		return;
	while (deliver_abandon(deliver, &unused) != NULL)
		continue;
	free_list(deliver->ended);
	free_list(deliver->idle);
	free(deliver->flying);
	curl_multi_cleanup(deliver->multi);
	curl_global_cleanup();
	free(deliver);
}

void
deliver_start(
    struct deliver *deliver, const struct deliver_request *request, void *owner)
{
	struct attempt *attempt = deliver->idle;

	assert(owner != NULL);
	if (attempt != NULL)
		deliver->idle = attempt->next;
	else
		attempt = attempt_new();
	attempt->owner = owner;
	set_up(deliver, attempt, request);
	if (attempt->is_unset ||
	    curl_multi_add_handle(deliver->multi, attempt->easy) != CURLM_OK) {
		conclude(attempt, CURLE_FAILED_INIT);
		add_ended(deliver, attempt);
		return;
	}
	take_off(deliver, attempt);
}

static void
collect(struct deliver *deliver)
{
	struct attempt *attempt = NULL;
	CURLMsg *message;
	CURLcode code;
	int left;

	while ((message = curl_multi_info_read(deliver->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, (char **)&attempt);
		conclude(attempt, code);
		land(deliver, attempt); /* invalidates `message` */
		add_ended(deliver, attempt);
	}
}

void
deliver_wait(
    struct deliver *deliver, const int *fds, size_t fd_count, int timeout_ms)
{
	struct curl_waitfd extra[WAIT_FDS_MAX];
	int still;
	size_t i;

	assert(fd_count <= WAIT_FDS_MAX);
	for (i = 0; i < fd_count; i++)
		extra[i] = (struct curl_waitfd){
		    .fd = fds[i], .events = CURL_WAIT_POLLIN};
	if (deliver->ended != NULL)
		timeout_ms = 0;
	if (curl_multi_poll(deliver->multi, extra, (unsigned)fd_count,
		timeout_ms, NULL) != CURLM_OK)
		poll(NULL, 0, 100); /* no memory for poll: avoid a busy loop */
	curl_multi_perform(deliver->multi, &still);
	collect(deliver);
}

void *
deliver_next(struct deliver *deliver, struct deliver_result *result)
{
	struct attempt *attempt = deliver->ended;

	if (attempt == NULL)
		return NULL;
	deliver->ended = attempt->next;
	if (deliver->ended == NULL)
		deliver->ended_end = &deliver->ended;
	return retire(deliver, attempt, result);
}

static void *
break_off(struct deliver *deliver, struct attempt *attempt, const char *why,
    struct deliver_result *result)
{
	conclude(attempt, CURLE_ABORTED_BY_CALLBACK);
	if (!attempt->result.is_delivered)
		snprintf(attempt->result.error, sizeof attempt->result.error,
		    "broken off: %s", why);
	land(deliver, attempt);
	return retire(deliver, attempt, result);
}

bool
deliver_break_off(
    struct deliver *deliver, const void *owner, struct deliver_result *result)
{
	size_t i;

	for (i = 0; i < deliver->flying_count; i++) {
		if (deliver->flying[i]->owner != owner)
			continue;
		deliver->is_resetting = true;
		break_off(deliver, deliver->flying[i], "the event was erased",
		    result);
		deliver->is_resetting = false;
		return true;
	}
	return false;
}

void *
deliver_abandon(struct deliver *deliver, struct deliver_result *result)
{
	if (deliver->flying_count == 0)
		return NULL;
	return break_off(deliver, deliver->flying[deliver->flying_count - 1],
	    "the relay was stopped", result);
}

bool
deliver_post(
    const struct deliver_request *request, struct deliver_result *result)
{
	struct deliver *deliver = deliver_new(1);

	deliver_start(deliver, request, deliver);
	while (deliver_next(deliver, result) == NULL)
		deliver_wait(deliver, NULL, 0, 1000);
	deliver_free(deliver);
	return result->is_delivered;
}
