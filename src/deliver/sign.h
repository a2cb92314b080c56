/*
 * Signatures by Standard Webhooks: HMAC-SHA256, which lets a destination verify
 * that a delivery comes from us, is whole, and is no replay of an old one.
 * Pure. The only file that sees libcrypto.
 */
#ifndef HOOKSPOOL_SIGN_H
#define HOOKSPOOL_SIGN_H

#include <stddef.h>
#include <stdint.h>

struct text_list;

/* The signed message, as the destination gets it; all borrowed. */
struct sign_message {
	const char *id;      /* webhook-id */
	int64_t timestamp_s; /* webhook-timestamp */
	const void *body;
	size_t body_bytes;
};

/* Returns the value of webhook-signature: one signature per secret, in order,
 * separated by blanks; a destination accepts the message if one is right. The
 * caller frees the text. Returns NULL if libcrypto fails. Every secret must
 * have passed value_check_secret. */
char *sign_dup(
    const struct text_list *secrets, const struct sign_message *message);

#endif
