/*
 * Event ids: UUIDs of version 7 (RFC 9562, 5.7), sortable by time.
 */
#ifndef HOOKSPOOL_UUID_H
#define HOOKSPOOL_UUID_H

#include <stdint.h>

/* 36 lower-case characters and a NUL. */
#define UUID_TEXT_SIZE 37

/* Writes a new id for `wall_ms` into `text`, UUID_TEXT_SIZE bytes. The other 74
 * bits are random, from the kernel. */
void uuid_make(int64_t wall_ms, char *text);

#endif
