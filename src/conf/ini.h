/*
 * The strict line parser of hookspool.conf(5). Takes one line at a time, so a
 * file, a test and a fuzzer can share the parser. Knows no key and no section.
 * A line is blank, a comment (# or ; first), [section], [section name], or `key
 * = value`, with white space around each part ignored. There are no
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

/* Owned by the caller; reused for each line; zeroed before the first. */
struct ini_line {
	enum ini_kind kind;
	char *key;
	char *value;
};

/* Reads the `len` bytes of one line without its newline. Ignores a CR at the
 * end. Returns NULL, or a constant sentence that says what is wrong. */
const char *ini_read(struct ini_line *line, const char *bytes, size_t len);

/* NULL-safe, idempotent. */
void ini_free(struct ini_line *line);

#endif
