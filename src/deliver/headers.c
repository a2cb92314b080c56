/*
 * The header lines of a delivery: see headers.h.
 */
#include "config.h"

#include "deliver/headers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "deliver/deliver.h"
#include "deliver/sign.h"

#define CONTENT_TYPE_MAX_BYTES 256
#define OWN_LINES_MAX          6 /* Content-Type and five of ours */

static void
add(struct text_list *lines, char *line_taken)
{
	lines->items[lines->count++] = line_taken;
}

static bool
is_usable_content_type(const char *type)
{
	const unsigned char *p = (const unsigned char *)type;

	if (type == NULL || *type == '\0' ||
	    strlen(type) > CONTENT_TYPE_MAX_BYTES)
		return false;
	for (; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			return false;
	return true;
}

/* Encodes % and every byte outside 0x21-0x7E as %XX. The caller frees the
 * text. */
static char *
percent_encode_dup(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *p = (const unsigned char *)text;
	char *encoded = xmalloc(strlen(text) * 3 + 1);
	char *end = encoded;

	for (; *p != '\0'; p++) {
		if (*p > 0x20 && *p < 0x7f && *p != '%') {
			*end++ = (char)*p;
			continue;
		}
		*end++ = '%';
		*end++ = hex[*p >> 4];
		*end++ = hex[*p & 15];
	}
	*end = '\0';
	return encoded;
}

/* Returns true without secrets, too. */
static bool
add_signature(struct text_list *lines, const struct deliver_request *request)
{
	const struct text_list *secrets = &request->destination->secrets;
	struct sign_message message = {.id = request->id,
	    .timestamp_s = request->now_ms / 1000,
	    .body = request->body,
	    .body_bytes = request->body_bytes};
	char *value;

	if (secrets->count == 0)
		return true;
	value = sign_dup(secrets, &message);
	if (value == NULL)
		return false;
	add(lines, xasprintf("webhook-signature: %s", value));
	free(value);
	return true;
}

static bool
add_ours(struct text_list *lines, const struct deliver_request *request)
{
	char *type = percent_encode_dup(request->event_type);
	long long timestamp_s = (long long)(request->now_ms / 1000);

	add(lines, xasprintf("webhook-id: %s", request->id));
	add(lines, xasprintf("webhook-timestamp: %lld", timestamp_s));
	add(lines, xasprintf("Hookspool-Event-Type: %s", type));
	add(lines, xasprintf("Hookspool-Attempt: %d", request->attempt));
	free(type);
	return add_signature(lines, request);
}

bool
headers_build(const struct deliver_request *request, struct text_list *lines)
{
	const struct text_list *configured = &request->destination->headers;
	const char *type = is_usable_content_type(request->content_type)
			       ? request->content_type
			       : "application/json";
	bool is_done = true;
	size_t i;

	lines->items =
	    xcalloc(configured->count + OWN_LINES_MAX, sizeof *lines->items);
	add(lines, xasprintf("Content-Type: %s", type));
	if (request->id != NULL)
		is_done = add_ours(lines, request);
	for (i = 0; i < configured->count; i++)
		add(lines, xstrdup(configured->items[i]));
	return is_done;
}

void
headers_free(struct text_list *lines)
{
	size_t i;

	if (lines == NULL)
		return;
	for (i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
	*lines = (struct text_list){.count = 0};
}
