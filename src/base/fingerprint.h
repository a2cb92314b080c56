/*
 * What stands for a secret where it must not be shown: the first digits of
 * its SHA-256 (FIPS 180-4), as `printf %s SECRET | sha256sum` shows them.
 */
#ifndef HOOKSPOOL_FINGERPRINT_H
#define HOOKSPOOL_FINGERPRINT_H

#define FINGERPRINT_SIZE 9 /* eight hexadecimal digits and NUL */

/* Writes the fingerprint of `secret`, which is shorter than 1 MiB, into `text`,
 * which has FINGERPRINT_SIZE bytes; returns `text`. */
const char *fingerprint_make(const char *secret, char *text);

#endif
