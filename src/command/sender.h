/*
 * What the sender sends to an endpoint, made here to try one: the URL of the
 * verification request, a sample event. And how such a URL may be shown. Pure.
 */
#ifndef HOOKSPOOL_SENDER_H
#define HOOKSPOOL_SENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct text_list;

/* The URL with `challenge` and `verifyToken` appended. The caller frees. */
char *sender_verification_dup(
    const char *url, const char *challenge, const char *token);

/* The body of a notification of EventType hookspool_probe, which holds
 * nothing. The caller frees. */
char *sender_event_dup(const char *community);

/* The URL without what is secret in it: of the path key, which is the last
 * segment, the last four characters are left. The caller frees. */
char *sender_url_shown_dup(const char *url);

/* Each adds to the list what must not be shown of the URL or of the token,
 * whichever way an answer may repeat it. */
void sender_add_url_secrets(struct text_list *secrets, const char *url);
void sender_add_token_secrets(struct text_list *secrets, const char *token);

/* Appends the bytes, each secret that is in them left out, also one that
 * their end cuts off. */
void sender_add_hidden(struct buf *buf, const struct text_list *secrets,
    const char *bytes, size_t len);

#endif
