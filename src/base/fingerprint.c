/*
 * Fingerprints of secrets: see fingerprint.h. SHA-256 is implemented here
 * because the endpoint links no cryptographic library. The constants are the
 * first 32 bits of the fractional parts of the roots of the first primes.
 * Section numbers are those of FIPS 180-4.
 */
#include "config.h"

#include "base/fingerprint.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES  64
#define LENGTH_BYTES 8
#define WORDS        8
#define ROUNDS       64

static const uint32_t initial[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
    0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t constants[ROUNDS] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
    0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
    0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
    0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
    0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

static uint32_t
rotate(uint32_t word, unsigned bits)
{
	return word >> bits | word << (32 - bits);
}

/* The message schedule (6.2.2, step 1). */
static void
expand(const unsigned char *block, uint32_t *schedule)
{
	uint32_t a, b;
	size_t i;

	for (i = 0; i < 16; i++)
		schedule[i] = (uint32_t)block[4 * i] << 24 |
			      (uint32_t)block[4 * i + 1] << 16 |
			      (uint32_t)block[4 * i + 2] << 8 |
			      (uint32_t)block[4 * i + 3];
	for (; i < ROUNDS; i++) {
		a = schedule[i - 15];
		b = schedule[i - 2];
		schedule[i] = schedule[i - 16] + schedule[i - 7] +
			      (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
			      (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

/* Steps 2 to 4 of 6.2.2: v[0] to v[7] are a to h there. */
static void
add_block(uint32_t *hash, const unsigned char *block)
{
	uint32_t schedule[ROUNDS], v[WORDS], one, two;
	size_t i, word;

	expand(block, schedule);
	memcpy(v, hash, sizeof v);
	for (i = 0; i < ROUNDS; i++) {
		one = v[7] +
		      (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
		      ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[i] +
		      schedule[i];
		two = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
		      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, (WORDS - 1) * sizeof *v);
		v[4] += one;
		v[0] = one + two;
	}
	for (word = 0; word < WORDS; word++)
		hash[word] += v[word];
	explicit_bzero(schedule, sizeof schedule);
	explicit_bzero(v, sizeof v);
}

/* The padding (5.1.1): a bit, zeros, and the length in bits. */
static void
add_last(uint32_t *hash, const char *rest, size_t rest_len, size_t len)
{
	unsigned char blocks[2 * BLOCK_BYTES] = {0};
	size_t size = rest_len + 1 + LENGTH_BYTES <= BLOCK_BYTES
			  ? BLOCK_BYTES
			  : 2 * BLOCK_BYTES;
	uint64_t bits = (uint64_t)len * 8;
	size_t i;

	memcpy(blocks, rest, rest_len);
	blocks[rest_len] = 0x80;
	for (i = 0; i < LENGTH_BYTES; i++)
		blocks[size - 1 - i] = (unsigned char)(bits >> (8 * i));
	for (i = 0; i < size; i += BLOCK_BYTES)
		add_block(hash, blocks + i);
	explicit_bzero(blocks, sizeof blocks);
}

const char *
fingerprint_make(const char *secret, char *text)
{
	size_t len = strlen(secret), done = 0;
	uint32_t hash[WORDS];

	memcpy(hash, initial, sizeof hash);
	for (; len - done >= BLOCK_BYTES; done += BLOCK_BYTES)
		add_block(hash, (const unsigned char *)secret + done);
	add_last(hash, secret + done, len - done, len);
	snprintf(text, FINGERPRINT_SIZE, "%08x", (unsigned)hash[0]);
	return text;
}
