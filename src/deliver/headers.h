/*
 * Builds the header lines of a delivery. Pure.
 */
#ifndef HOOKSPOOL_HEADERS_H
#define HOOKSPOOL_HEADERS_H

#include <stdbool.h>

struct deliver_request;
struct text_list;

/* Fills the empty list with `Name: value` lines: Content-Type, ours if the
 * request has an id, then the configured ones. Returns false if there are
 * secrets and signing failed. The caller always frees the list with
 * headers_free. */
bool headers_build(
    const struct deliver_request *request, struct text_list *lines);

/* NULL-safe, idempotent. */
void headers_free(struct text_list *lines);

#endif
