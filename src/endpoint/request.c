/*
 * The HTTP contract: see request.h.
 */
#include "config.h"

#include "endpoint/request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "endpoint/verify.h"
#include "event/event.h"

#define REFUSE_WAIT_MS 500 /* for opening the spool to keep a refused body */

struct request {
	struct exchange *exchange;
	const struct endpoint_config *config; /* NULL: no good one */
	struct settings_view *view;
	struct answer *answer;
	const char *path_key; /* the key in the request's path; NULL: none
				 needed */
	int64_t length;       /* the Content-Length; -1: none */
	struct buf body;      /* bytes read so far */
	bool is_whole;        /* the whole body was read, with the reason for a
				 refusal in it */
	struct event event;
	bool is_captured;
};

/* A check of the contract. Returns false after refusing the request with an
 * answer. */
typedef bool (*check)(struct request *request);

/* Returns the variable's value or "": CGI does not tell unset from empty. */
static const char *
variable(struct request *request, const char *name)
{
	const char *value =
	    request->exchange->variable(request->exchange, name);

	return value != NULL ? value : "";
}

/* Returns NULL if the variable is unset or empty. */
static const char *
variable_or_null(struct request *request, const char *name)
{
	const char *value = variable(request, name);

	return *value != '\0' ? value : NULL;
}

static bool
refuse(struct request *request, int status, const char *reason)
{
	answer_refuse(request->answer, status, reason);
	log_note(status >= 500 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
	    "request refused", LOG_TEXT("reason", reason),
	    LOG_TEXT("method", variable(request, "REQUEST_METHOD")),
	    LOG_TEXT("remote", variable(request, "REMOTE_ADDR")),
	    LOG_NUMBER("status", status));
	return false;
}

/* Opens the spool if necessary, until the deadline. Returns whether the spool
 * is open. */
static bool
has_store(struct request *request, int64_t deadline_ms)
{
	settings_use_store(request->view, deadline_ms);
	return request->view->store != NULL;
}

/* Refuses a body and keeps its beginning for `hookspool refused`. */
static bool
refuse_body(struct request *request, int status, const char *reason)
{
	struct refusal refusal = {
	    .received_at_ms = clock_wall_ms(),
	    .status = status,
	    .why = reason,
	    .content_type = variable_or_null(request, "CONTENT_TYPE"),
	    .remote_addr = variable_or_null(request, "REMOTE_ADDR"),
	    .body = buf_text(&request->body),
	    .body_bytes = request->body.len < REFUSAL_MAX_BYTES
			      ? request->body.len
			      : REFUSAL_MAX_BYTES,
	    .sent_bytes = request->is_whole ? (int64_t)request->body.len
					    : request->length,
	};

	refuse(request, status, reason);
	if (has_store(request, clock_mono_ms() + REFUSE_WAIT_MS))
		store_refuse(request->view->store, &refusal);
	return false;
}

/* ---- every request ---- */

static bool
has_configuration(struct request *request)
{
	if (request->config == NULL)
		return refuse(request, 503, "the configuration cannot be used");
	if (request->config->path_keys_problem != NULL)
		return refuse(request, 503, "the path keys cannot be read");
	return true;
}

/* Returns the last segment of the path, as sent. */
static const char *
last_segment(const char *uri, size_t *len)
{
	size_t end = strcspn(uri, "?"), start = end;

	while (start > 0 && uri[start - 1] != '/')
		start--;
	*len = end - start;
	return uri + start;
}

static bool
has_path_key(struct request *request)
{
	const struct text_list *keys = &request->config->path_keys;
	const char *segment;
	size_t i, len;

	if (keys->count == 0)
		return true;
	segment = last_segment(variable(request, "REQUEST_URI"), &len);
	for (i = 0; i < keys->count; i++)
		if (secret_equal(segment, len, keys->items[i]))
			request->path_key = keys->items[i];
	return request->path_key != NULL ||
	       refuse(request, 404, "no such path");
}

static bool
is_method(struct request *request, const char *method)
{
	return strcmp(variable(request, "REQUEST_METHOD"), method) == 0;
}

static bool
has_method(struct request *request)
{
	if (is_method(request, "GET") || is_method(request, "HEAD") ||
	    is_method(request, "POST"))
		return true;
	return refuse(request, 405, "the method is not GET, HEAD or POST");
}

/* ---- GET and HEAD: the verification request ---- */

static bool
is_verified(struct request *request)
{
	const struct endpoint_config *config = request->config;
	const char *query = variable(request, "QUERY_STRING");
	struct verification verification;
	bool is_fine = false;

	verify_query(
	    query, strlen(query), &config->verify_tokens, &verification);
	if (verification.status != 400 && config->verify_tokens_problem != NULL)
		refuse(request, 503, "no verify token can be used");
	else if (verification.status != 200)
		refuse(request, verification.status, verification.why);
	else
		is_fine = true;
	if (is_fine)
		answer_ok(request->answer, "text/plain; charset=utf-8",
		    buf_text(&verification.challenge),
		    verification.challenge.len);
	buf_free(&verification.challenge);
	return is_fine;
}

/* ---- POST: a notification ---- */

static bool
has_plain_encoding(struct request *request)
{
	const char *encoding = variable(request, "HTTP_CONTENT_ENCODING");

	if (*encoding == '\0' || strcasecmp(encoding, "identity") == 0)
		return true;
	return refuse(request, 415, "the Content-Encoding is not identity");
}

/* Reads a plain decimal number; a number beyond our range becomes INT64_MAX. */
static bool
read_length(const char *text, int64_t *length)
{
	*length = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		if (*length > (INT64_MAX - 9) / 10)
			*length = INT64_MAX;
		else
			*length = *length * 10 + (*text - '0');
	return *text == '\0';
}

static void
read_body_until(struct request *request, size_t max, enum body_end *end)
{
	int64_t deadline_ms =
	    clock_mono_ms() + request->config->body_timeout_ms;

	buf_init(&request->body, max);
	*end = request->exchange->read_body(
	    request->exchange, &request->body, deadline_ms);
}

static bool
has_length(struct request *request)
{
	const char *text = variable_or_null(request, "CONTENT_LENGTH");
	enum body_end ignored;

	if (text == NULL) {
		if (request->exchange->marks_end)
			return true;
		return refuse(request, 411, "Content-Length is missing");
	}
	if (!read_length(text, &request->length)) {
		request->length = -1;
		return refuse(request, 400, "Content-Length is not a number");
	}
	if ((uint64_t)request->length <= request->config->max_body_bytes)
		return true;
	read_body_until(request, REFUSAL_MAX_BYTES, &ignored);
	return refuse_body(request, 413, "the body is too large");
}

static bool
has_body(struct request *request)
{
	bool has_length = request->length >= 0;
	enum body_end end;

	read_body_until(request,
	    has_length ? (size_t)request->length
		       : request->config->max_body_bytes,
	    &end);
	switch (end) {
	case BODY_BROKEN:
		return refuse(request, 400,
		    "the connection ended before the body was complete");
	case BODY_LATE:
		return refuse(
		    request, 408, "the body was not complete in time");
	case BODY_MORE:
		if (has_length)
			return refuse(request, 400,
			    "the body is longer than its Content-Length");
		return refuse_body(request, 413, "the body is too large");
	case BODY_WHOLE:
		break;
	}
	if (has_length && request->body.len < (size_t)request->length)
		return refuse(request, 400,
		    "the body is shorter than its Content-Length");
	request->is_whole = true;
	return true;
}

static bool
is_event(struct request *request)
{
	struct event_error error = event_read(
	    buf_text(&request->body), request->body.len, &request->event);
	char reason[256];

	switch (error.verdict) {
	case EVENT_FINE:
		return true;
	case EVENT_NOT_JSON:
		snprintf(reason, sizeof reason, "not JSON, at byte %zu: %s",
		    error.offset, error.why);
		return refuse_body(request, 400, reason);
	case EVENT_NOT_ENVELOPE:
		return refuse_body(request, 400, error.why);
	}
	return refuse_body(request, 400, "not an event");
}

static bool
is_from_community(struct request *request)
{
	const struct text_list *allowed = &request->config->communities;
	const char *community = request->event.community;
	size_t i;

	if (allowed->count == 0)
		return true;
	for (i = 0; i < allowed->count && community != NULL; i++)
		if (strcmp(allowed->items[i], community) == 0)
			return true;
	return refuse_body(
	    request, 403, "CommunityName is not on the configured list");
}

static void
answer_captured(struct request *request, const struct capture *capture)
{
	char json[UUID_TEXT_SIZE + 16];
	int len = snprintf(json, sizeof json, "{\"id\":\"%s\"}", capture->id);
	struct log_field key = {.key = NULL}; /* ends the list */
	char fingerprint[FINGERPRINT_SIZE];

	answer_ok(request->answer, "application/json", json, (size_t)len);
	request->is_captured = true;
	if (request->path_key != NULL)
		key = (struct log_field)LOG_TEXT("key_fingerprint",
		    fingerprint_make(request->path_key, fingerprint));
	log_note(LOG_LEVEL_INFO, "event captured", LOG_TEXT("id", capture->id),
	    LOG_TEXT("type", request->event.type),
	    LOG_TEXT("community", request->event.community),
	    LOG_NUMBER("bytes", (long long)capture->body_bytes), key);
}

static bool
is_stored(struct request *request)
{
	struct capture capture = {
	    .received_at_ms = clock_wall_ms(),
	    .event = &request->event,
	    .content_type = variable_or_null(request, "CONTENT_TYPE"),
	    .remote_addr = variable_or_null(request, "REMOTE_ADDR"),
	    .body = buf_text(&request->body),
	    .body_bytes = request->body.len,
	    .result = CAPTURE_FAILED,
	};
	int64_t deadline_ms =
	    clock_mono_ms() + request->config->capture_timeout_ms;

	if (!has_store(request, deadline_ms))
		return refuse(request, 503, "the spool is not open");
	uuid_make(capture.received_at_ms, capture.id);
	store_capture(request->view->store, &capture, 1, deadline_ms);
	switch (capture.result) {
	case CAPTURE_FAILED:
		return refuse(request, 503, "the spool failed");
	case CAPTURE_LOCKED:
		return refuse(request, 503, "the spool is locked");
	case CAPTURE_FULL:
		return refuse(request, 503,
		    "the spool is full: see the disk, min_free and max_size");
	case CAPTURE_STORED:
		break;
	}
	answer_captured(request, &capture);
	return true;
}

/* ---- the order of the checks ---- */

static const check every_check[] = {
    has_configuration, has_path_key, has_method, NULL};
static const check get_check[] = {is_verified, NULL};
static const check post_check[] = {has_plain_encoding, has_length, has_body,
    is_event, is_from_community, is_stored, NULL};

static bool
passes(struct request *request, const check *checks)
{
	for (; *checks != NULL; checks++)
		if (!(*checks)(request))
			return false;
	return true;
}

bool
request_handle(struct exchange *exchange, struct settings_view *view,
    struct answer *answer)
{
	struct request request = {
	    .exchange = exchange,
	    .config = view->config != NULL ? &view->config->endpoint : NULL,
	    .view = view,
	    .answer = answer,
	    .length = -1,
	};

	answer->is_bodyless = is_method(&request, "HEAD");
	if (passes(&request, every_check))
		passes(&request,
		    is_method(&request, "POST") ? post_check : get_check);
	event_free(&request.event);
	buf_free(&request.body);
	return request.is_captured;
}
