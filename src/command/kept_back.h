/*
 * Destinations with deliveries made due, and the reasons why the relay still
 * does not try them at once. Reported to the user after the change.
 */
#ifndef HOOKSPOOL_KEPT_BACK_H
#define HOOKSPOOL_KEPT_BACK_H

#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

struct jsonout;

/* Zeroed to begin with. */
struct kept_back {
	int64_t *ids; /* of the destinations */
	size_t count;
	struct destination *destinations; /* of all configured destinations */
	size_t destination_count;
};

/* Adds a destination once. A store_touched; `arg` is the struct kept_back. */
void kept_back_add(void *arg, int64_t destination);

/* Reads what keeps each destination back. Until then the output is empty. */
enum store_status kept_back_read(
    struct kept_back *kept_back, struct store *store);

/* Print each kept destination, the cause and the remedy. */
void kept_back_print(const struct kept_back *kept_back);
void kept_back_add_json(const struct kept_back *kept_back, struct jsonout *out);

void kept_back_free(struct kept_back *kept_back);

#endif
