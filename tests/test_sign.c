/*
 * Signatures, against values that were computed elsewhere (Python's hmac; the
 * first is the example of Standard Webhooks), and the headers they go into.
 */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "deliver/deliver.h"
#include "deliver/headers.h"
#include "deliver/sign.h"

#define ID  "0193a1f2-0000-7000-8000-000000000001"
#define NOW INT64_C(1795451744)

#define FIRST  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SECOND "whsec_qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="

struct vector {
	const char *secret;
	const char *id;
	int64_t timestamp_s;
	const char *body;
	size_t body_bytes;
	const char *signature;
};

static char *
sign(const struct vector *vector)
{
	char *secrets[] = {xstrdup(vector->secret)};
	struct sign_message message = {.id = vector->id,
	    .timestamp_s = vector->timestamp_s,
	    .body = vector->body,
	    .body_bytes = vector->body_bytes};
	char *value = sign_dup(
	    &(struct text_list){.items = secrets, .count = 1}, &message);

	free(secrets[0]);
	return value;
}

static void
signatures_are_those_that_others_compute(void **state)
{
	static const struct vector vectors[] = {
	    {FIRST, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
		"{\"test\": 2432232314}", 20,
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	    {"whsec_CwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsL", ID, 0, "Hi There", 8,
		"v1,h3cKSQ7XBTA19ZLIamS4Z3fECM63CFvbpXVetS7Vo4s="},
	    {"whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGQ==", ID, NOW,
		"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		"\xdd\xdd\xdd\xdd\xdd",
		50, "v1,UawLMZ8nxS0MuvkP5Ko+MUn+r51uXu47POMG41Zj8og="},
	    {SECOND, ID, NOW, "what do ya want for nothing?", 28,
		"v1,fFN5IGQkNo515LcdNB/j5fVibkif4SscV0ERbaUr1CU="},
	    {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygp"
	     "KissLS4vMDEyMzQ1Njc4OTo7PD0+",
		ID, NOW, "\0\r\n\xff..", 6,
		"v1,r5grzLflEZLcRQE9cQurjLNLTToS95fKSkx6ArCelVA="},
	    {"whsec_////////////////////////////////////////////////////////"
	     "/////////////////////////////w==",
		ID, INT64_C(253402300799), "", 0,
		"v1,H8m7rfMj6BaFDZsGpxXJKCy1dSHgdNYjqZcfL+zQa4g="},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		char *value = sign(&vectors[i]);

		assert_non_null(value);
		assert_string_equal(value, vectors[i].signature);
		free(value);
	}
}

static void
a_large_body_is_signed_whole(void **state)
{
	char *body = xmalloc(1000000);
	struct vector vector = {
	    .secret = "whsec_DAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw=",
	    .id = ID,
	    .timestamp_s = NOW,
	    .body = body,
	    .body_bytes = 1000000};
	char *value;

	(void)state;
	memset(body, 'x', 1000000);
	value = sign(&vector);
	assert_string_equal(
	    value, "v1,xFert6lON3ZN2wrbFsgsEVjp+iZ18tze3uwqm0pE02o=");
	free(value);
	body[999999] = 'y';
	value = sign(&vector);
	assert_string_not_equal(
	    value, "v1,xFert6lON3ZN2wrbFsgsEVjp+iZ18tze3uwqm0pE02o=");
	free(value);
	free(body);
}

/* The header lines of a delivery with these secrets. */
static struct text_list
headers_with(char **secrets, size_t count)
{
	struct destination_config destination = {
	    .secrets = {.items = secrets, .count = count}};
	struct deliver_request request = {.destination = &destination,
	    .id = ID,
	    .event_type = "x",
	    .body = "what do ya want for nothing?",
	    .body_bytes = 28,
	    .attempt = 1,
	    .now_ms = NOW * 1000 + 999};
	struct text_list lines = {.count = 0};

	assert_true(headers_build(&request, &lines));
	return lines;
}

static const char *
line_with(const struct text_list *lines, const char *name)
{
	const char *found = NULL;
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (strncmp(lines->items[i], name, strlen(name)) == 0) {
			assert_null(found);
			found = lines->items[i];
		}
	return found;
}

static void
each_secret_has_its_signature_in_their_order(void **state)
{
	char first[] = FIRST, second[] = SECOND;
	char *secrets[] = {second, first};
	struct text_list lines = headers_with(secrets, 2);

	(void)state;
	assert_string_equal(line_with(&lines, "webhook-timestamp:"),
	    "webhook-timestamp: 1795451744");
	assert_string_equal(line_with(&lines, "webhook-signature:"),
	    "webhook-signature: "
	    "v1,fFN5IGQkNo515LcdNB/j5fVibkif4SscV0ERbaUr1CU= "
	    "v1,O9oXFaX10UlT1YtxrG0TtM15E4J3UqUONZYjZg4mKlA=");
	headers_free(&lines);
}

static void
without_a_secret_nothing_is_signed(void **state)
{
	struct text_list lines = headers_with(NULL, 0);

	(void)state;
	assert_null(line_with(&lines, "webhook-signature:"));
	assert_non_null(line_with(&lines, "webhook-id: " ID));
	headers_free(&lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signatures_are_those_that_others_compute),
	    cmocka_unit_test(a_large_body_is_signed_whole),
	    cmocka_unit_test(each_secret_has_its_signature_in_their_order),
	    cmocka_unit_test(without_a_secret_nothing_is_signed),
	};

	return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
