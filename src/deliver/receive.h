/*
 * Receives an answer as it arrives: keeps the beginning, and limits how much is
 * read. Knows no connection; the functions have libcurl's callback form.
 */
#ifndef HOOKSPOOL_RECEIVE_H
#define HOOKSPOOL_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>

struct deliver_result;

struct receive {
	struct deliver_result *result; /* borrowed; gets what is kept */
	size_t header_bytes;           /* read so far */
	size_t body_bytes;
};

/* Take size * count bytes; `arg` is the struct receive. Return the bytes taken,
 * fewer to stop reading. Headers come line by line, a status line before those
 * of each answer. */
size_t receive_header(char *line, size_t size, size_t count, void *arg);
size_t receive_body(char *bytes, size_t size, size_t count, void *arg);

/* Return whether reading stopped because of too many headers; or because of a
 * long body, whose beginning was kept before. */
bool receive_is_overrun(const struct receive *receive);
bool receive_is_enough(const struct receive *receive);

#endif
