/*
 * The strict line parser of hookspool.conf(5). Fed one line at a time, so
 * that a file, a test and a fuzzer share it. Knows no key and no section.
 * A line is blank, a comment (# or ; first), [section], [section name], or
 * `key = value`; white space around each part is not part of it. There are no
 * continuation lines, quotes or trailing comments: a value is the rest of its
 * line, byte for byte.
 */
#ifndef HOOKSPOOL_INI_H
#define HOOKSPOOL_INI_H

#include <stddef.h>

#define INI_LINE_MAX_BYTES 8192

enum ini_kind {
	INI_NOTHING, /* blank or comment */
	INI_SECTION, /* key: the section's first word; value: the rest or "" */
	INI_KEY      /* key and value; the value may be "" */
};

/* Owned by the caller; reused from line to line; zeroed before the first. */
struct ini_line {
	enum ini_kind kind;
	char *key;
	char *value;
};

/* Reads the `len` bytes of one line, without its newline (a CR before that is
 * ignored). NULL if fine, else a constant sentence that says why not. */
const char *ini_read(struct ini_line *line, const char *bytes, size_t len);

/* NULL-safe, idempotent. */
void ini_free(struct ini_line *line);

#endif
