/*
 * The header lines of a delivery: what the destination learns beside the
 * bytes. Pure.
 */
#ifndef HOOKSPOOL_HEADERS_H
#define HOOKSPOOL_HEADERS_H

#include <stdbool.h>

struct deliver_request;
struct text_list;

/* Fills the empty list with `Name: value` lines: Content-Type, then ours where
 * the request has an id, then the configured ones. False if there are secrets
 * and it could not be signed. The caller frees it with headers_free, in any
 * case. */
bool headers_build(
    const struct deliver_request *request, struct text_list *lines);

/* NULL-safe, idempotent. */
void headers_free(struct text_list *lines);

#endif
