/*
 * Builds what the sender sends to an endpoint, for trying one: the URL of the
 * verification request, a sample event. Also hides the URL's secrets. Pure.
 */
#ifndef HOOKSPOOL_SENDER_H
#define HOOKSPOOL_SENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct text_list;

/* Returns the URL with `challenge` and `verifyToken` appended. The caller frees
 * the text. */
char *sender_verification_dup(
    const char *url, const char *challenge, const char *token);

/* Returns the body of an empty notification of EventType hookspool_probe. The
 * caller frees the text. */
char *sender_event_dup(const char *community);

/* Returns the URL without secrets, except the last four characters of the path
 * key (the last segment). The caller frees the text. */
char *sender_url_shown_dup(const char *url);

/* Add the secrets of the URL or of the token, in every form in which an answer
 * may repeat them. */
void sender_add_url_secrets(struct text_list *secrets, const char *url);
void sender_add_token_secrets(struct text_list *secrets, const char *token);

/* Appends the bytes without the secrets in them, including a secret cut off by
 * the end. */
void sender_add_hidden(struct buf *buf, const struct text_list *secrets,
    const char *bytes, size_t len);

#endif
