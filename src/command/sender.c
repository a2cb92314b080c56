/*
 * Builds the sender's requests: see sender.h.
 */
#include "config.h"

#include "command/sender.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "conf/texts.h"

/* Shorter secrets occur in any text. */
#define HIDDEN_MIN_BYTES 4
#define KEY_SHOWN_BYTES  4
#define TEXT_MAX_BYTES   8192

static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c));
}

/* RFC 3986, 2.1 */
static char *
percent_encoded_dup(const char *text)
{
	struct buf buf;

	buf_init(&buf, TEXT_MAX_BYTES);
	for (; *text != '\0'; text++)
		if (is_unreserved(*text))
			buf_add(&buf, text, 1);
		else
			buf_add_format(
			    &buf, "%%%02X", (unsigned)(unsigned char)*text);
	buf_add_text(&buf, "");
	return buf_take(&buf);
}

char *
sender_verification_dup(
    const char *url, const char *challenge, const char *token)
{
	char *encoded = percent_encoded_dup(token);
	char *whole = xasprintf("%s%schallenge=%s&verifyToken=%s", url,
	    strchr(url, '?') != NULL ? "&" : "?", challenge, encoded);

	free(encoded);
	return whole;
}

char *
sender_event_dup(const char *community)
{
	struct buf buf;

	buf_init(&buf, TEXT_MAX_BYTES);
	buf_add_text(&buf, "{\"CommunityName\":\"");
	for (; *community != '\0'; community++)
		if ((unsigned char)*community < 0x20)
			buf_add_format(&buf, "\\u%04x",
			    (unsigned)(unsigned char)*community);
		else if (*community == '"' || *community == '\\')
			buf_add_format(&buf, "\\%c", *community);
		else
			buf_add(&buf, community, 1);
	buf_add_text(
	    &buf, "\",\"EventType\":\"" CONFIG_PROBE_TYPE "\",\"Events\":[]}");
	return buf_take(&buf);
}

/* Returns the beginning of the path's last segment, and its length. */
static const char *
last_segment(const char *url, size_t *len)
{
	const char *path = strstr(url, "://");
	const char *end, *at;

	path = path != NULL ? path + 3 : url;
	path += strcspn(path, "/?#");
	end = path + strcspn(path, "?#");
	for (at = end; at > path && at[-1] != '/'; at--)
		continue;
	*len = (size_t)(end - at);
	return at;
}

char *
sender_url_shown_dup(const char *url)
{
	char *shown = config_url_shown_dup(url), *whole;
	const char *key;
	size_t len;

	key = last_segment(url, &len);
	if (len < 3 * KEY_SHOWN_BYTES)
		return shown;
	whole = xasprintf(
	    "%s%.*s", shown, KEY_SHOWN_BYTES, key + len - KEY_SHOWN_BYTES);
	free(shown);
	return whole;
}

static void
add_secret(struct text_list *secrets, const char *text, size_t len)
{
	if (len >= HIDDEN_MIN_BYTES)
		text_list_add(secrets, text, len);
}

void
sender_add_token_secrets(struct text_list *secrets, const char *token)
{
	char *encoded = percent_encoded_dup(token);

	add_secret(secrets, token, strlen(token));
	add_secret(secrets, encoded, strlen(encoded));
	explicit_bzero(encoded, strlen(encoded));
	free(encoded);
}

/* Adds the whole query, and each value in the query. */
static void
add_query(struct text_list *secrets, const char *query)
{
	add_secret(secrets, query, strlen(query));
	while (*query != '\0') {
		size_t len = strcspn(query, "&");
		const char *value = memchr(query, '=', len);

		if (value != NULL)
			add_secret(secrets, value + 1,
			    (size_t)(query + len - value - 1));
		query += len + (query[len] == '&' ? 1 : 0);
	}
}

void
sender_add_url_secrets(struct text_list *secrets, const char *url)
{
	const char *host = strstr(url, "://"), *key, *at, *password;
	size_t len;

	key = last_segment(url, &len);
	add_secret(secrets, key, len);
	if (strchr(url, '?') != NULL)
		add_query(secrets, strchr(url, '?') + 1);
	if (host == NULL)
		return;
	host += 3;
	at = memrchr(host, '@', strcspn(host, "/?#"));
	if (at == NULL)
		return;
	add_secret(secrets, host, (size_t)(at - host));
	password = memchr(host, ':', (size_t)(at - host));
	if (password != NULL)
		add_secret(secrets, password + 1, (size_t)(at - password - 1));
}

/* Returns the length of the longest secret at `bytes`; 0: none. */
static size_t
secret_at(const struct text_list *secrets, const char *bytes, size_t left)
{
	size_t i, len, longest = 0;

	for (i = 0; i < secrets->count; i++) {
		len = strlen(secrets->items[i]);
		if (len > left && left >= HIDDEN_MIN_BYTES)
			len = left; /* a secret cut off by the end */
		if (len <= left && len > longest &&
		    memcmp(bytes, secrets->items[i], len) == 0)
			longest = len;
	}
	return longest;
}

void
sender_add_hidden(struct buf *buf, const struct text_list *secrets,
    const char *bytes, size_t len)
{
	size_t i = 0, hidden;

	while (i < len) {
		hidden = secret_at(secrets, bytes + i, len - i);
		if (hidden > 0)
			buf_add_text(buf, "[...]");
		else
			buf_add(buf, bytes + i, 1);
		i += hidden > 0 ? hidden : 1;
	}
}
