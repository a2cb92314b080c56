/*
 * Signatures after Standard Webhooks: HMAC-SHA256, by which a destination
 * knows that a delivery comes from us, is whole, and is not a replay of an
 * old one. Pure. The only file that sees libcrypto.
 */
#ifndef HOOKSPOOL_SIGN_H
#define HOOKSPOOL_SIGN_H

#include <stddef.h>
#include <stdint.h>

struct text_list;

/* What is signed, as the destination gets it; all borrowed. */
struct sign_message {
	const char *id;      /* webhook-id */
	int64_t timestamp_s; /* webhook-timestamp */
	const void *body;
	size_t body_bytes;
};

/* The value of webhook-signature: one signature for each secret, in their
 * order, with blanks between; the destination takes the message if one of
 * them is right. The caller frees it. NULL if libcrypto fails.
 * Assumes that value_check_secret finds each secret right. */
char *sign_dup(
    const struct text_list *secrets, const struct sign_message *message);

#endif
