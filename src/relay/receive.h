/*
 * Taking an answer while it arrives: what is kept of it, and how much of it
 * is read at all. Knows no connection; the functions have the form that
 * libcurl calls.
 */
#ifndef HOOKSPOOL_RECEIVE_H
#define HOOKSPOOL_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>

struct deliver_result;

struct receive {
	struct deliver_result *result; /* borrowed: takes what is kept */
	size_t header_bytes;           /* read so far */
	size_t body_bytes;
};

/* Each takes size * count bytes, `arg` being the struct receive, and returns
 * how many it took: fewer when it wants no more of them. Headers come a line
 * at a time, a status line before those of each answer. */
size_t receive_header(char *line, size_t size, size_t count, void *arg);
size_t receive_body(char *bytes, size_t size, size_t count, void *arg);

/* Whether it was told to stop because there were too many headers; or
 * because of the body's length, of which what is kept came long before. */
bool receive_is_overrun(const struct receive *receive);
bool receive_is_enough(const struct receive *receive);

#endif
