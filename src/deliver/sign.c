/*
 * Signatures: see sign.h.
 */
#include "config.h"

#include "deliver/sign.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "conf/conf.h"

#define HEAD_MAX_BYTES   128 /* of "id.timestamp." */
#define DIGEST_BYTES     32  /* of SHA-256 */
#define KEY_ROOM_BYTES   66  /* 64, and what base64 decodes from padding */
#define BASE64_MAX_BYTES 88  /* for 64 bytes */
#define VALUE_MAX_BYTES  (1U << 20)

/* Decodes the key from a secret's base64. Returns its length, 0 if invalid. */
static size_t
read_key(const char *secret, unsigned char key[KEY_ROOM_BYTES])
{
	const char *text = secret + sizeof CONFIG_SECRET_PREFIX - 1;
	size_t text_len = strlen(text), padding = 0;
	int len;

	assert(text_len <= BASE64_MAX_BYTES);
	len = EVP_DecodeBlock(key, (const unsigned char *)text, (int)text_len);
	while (padding < 2 && padding < text_len &&
	       text[text_len - 1 - padding] == '=')
		padding++;
	return len > 2 ? (size_t)len - padding : 0;
}

static bool
digest(EVP_PKEY *key, const struct sign_message *message,
    unsigned char out[DIGEST_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	char head[HEAD_MAX_BYTES];
	size_t out_len = DIGEST_BYTES;
	int head_len = snprintf(head, sizeof head, "%s.%lld.", message->id,
	    (long long)message->timestamp_s);
	bool is_done;

	assert(head_len > 0 && (size_t)head_len < sizeof head);
	is_done =
	    context != NULL &&
	    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSignUpdate(context, head, (size_t)head_len) == 1 &&
	    EVP_DigestSignUpdate(context, message->body, message->body_bytes) ==
		1 &&
	    EVP_DigestSignFinal(context, out, &out_len) == 1 &&
	    out_len == DIGEST_BYTES;
	EVP_MD_CTX_free(context);
	return is_done;
}

/* Appends `v1,` and the signature in base64. */
static bool
add_signature(
    struct buf *value, const char *secret, const struct sign_message *message)
{
	unsigned char bytes[KEY_ROOM_BYTES], out[DIGEST_BYTES];
	unsigned char text[BASE64_MAX_BYTES + 1];
	size_t len = read_key(secret, bytes);
	EVP_PKEY *key =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, bytes, len);
	bool is_done = len > 0 && key != NULL && digest(key, message, out);

	if (is_done) {
		EVP_EncodeBlock(text, out, DIGEST_BYTES);
		is_done = buf_add_format(value, "%sv1,%s",
		    value->len > 0 ? " " : "", (const char *)text);
	}
	EVP_PKEY_free(key);
	explicit_bzero(bytes, sizeof bytes);
	return is_done;
}

char *
sign_dup(const struct text_list *secrets, const struct sign_message *message)
{
	bool is_done = secrets->count > 0;
	struct buf value;
	size_t i;

	buf_init(&value, VALUE_MAX_BYTES);
	for (i = 0; i < secrets->count && is_done; i++)
		is_done = add_signature(&value, secrets->items[i], message);
	if (is_done)
		return buf_take(&value);
	buf_free(&value);
	return NULL;
}
