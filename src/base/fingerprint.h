/*
 * Fingerprints, shown in place of secrets: the first digits of the secret's
 * SHA-256 (FIPS 180-4), as printed by `printf %s SECRET | sha256sum`.
 */
#ifndef HOOKSPOOL_FINGERPRINT_H
#define HOOKSPOOL_FINGERPRINT_H

#define FINGERPRINT_SIZE 9 /* eight hexadecimal digits and NUL */

/* Writes the fingerprint of `secret`, which is shorter than 1 MiB, into `text`,
 * which has FINGERPRINT_SIZE bytes; returns `text`. */
const char *fingerprint_make(const char *secret, char *text);

#endif
