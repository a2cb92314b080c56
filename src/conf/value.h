/*
 * Checks and reads single values of hookspool.conf(5): sizes, durations,
 * numbers, URLs, headers, path keys. Pure. Each function returns NULL, or a
 * constant text to follow the value in a message: "is not a number". The text
 * names the remedy after a ";"; without a ";", the caller names the remedy.
 */
#ifndef HOOKSPOOL_VALUE_H
#define HOOKSPOOL_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum value_unit { VALUE_PLAIN, VALUE_SIZE, VALUE_DURATION };

/* Returned by value_read_number for a number without unit. */
extern const char value_no_unit[];

/* Reads `64M` (bytes), `10s` (milliseconds) or a plain `32` into `number`. A
 * size or duration needs a unit, except 0. */
const char *value_read_number(
    const char *text, enum value_unit unit, int64_t *number);

/* Appends `number` in the notation of value_read_number, in the largest unit
 * that fits. */
void value_add_number(struct buf *buf, enum value_unit unit, int64_t number);

/* Appends the digits with each unit: `5K, 5M or 5G`. */
void value_add_with_units(
    struct buf *buf, enum value_unit unit, const char *number);

/* Checks an http or https URL with a host. */
const char *value_check_url(const char *text);

/* Checks an http or https URL with host and port, and without path. */
const char *value_check_proxy(const char *text);

/* Checks `Name: value`; refuses headers that hookspool sends. */
const char *value_check_header(const char *text);

/* Checks a secret for the last segment of a path, unescaped. */
const char *value_check_path_key(const char *text);

/* Checks a destination's secret by Standard Webhooks: `whsec_` and 24 to 64
 * bytes in base64. */
const char *value_check_secret(const char *text);

/* Checks a verify token. */
const char *value_check_token(const char *text);

/* Appends the text in quotes. Escapes everything but printable ASCII, and
 * shortens long text. */
void value_quote(struct buf *buf, const char *text);

#endif
