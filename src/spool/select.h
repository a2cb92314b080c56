/*
 * Finds the deliveries that a filter selects, a few at a time, oldest of a
 * destination first. Each look reads a bounded number of rows; no transaction
 * is open between two looks. Changes nothing. For the files of spool/ only.
 */
#ifndef HOOKSPOOL_SELECT_H
#define HOOKSPOOL_SELECT_H

#include <stdint.h>

#include "spool/spool.h"

#define SELECT_MAX_COUNT 256 /* candidates of a look */
#define NO_DELIVERY      (-1)

/* A matching delivery, as seen by one look. */
struct candidate {
	int64_t seq;
	int64_t destination;
	int state;       /* stored state; NO_DELIVERY: none (yet) */
	bool is_waiting; /* pending, due in the future */
	bool is_behind;  /* pending, and behind another */
	bool is_configured;
};

struct selection {
	const struct list_filter *filter;      /* except state and limit */
	const char *event_id;                  /* NULL: all events */
	bool is_chosen[DELIVERY_ORPHANED + 1]; /* states */
	/* Not 0: selects the delivery to this destination, existing or not, of
	 * each event with a delivery in a chosen state; with `is_any_chosen`,
	 * of every event. */
	int64_t to;
	bool is_any_chosen;
	store_wants wants; /* NULL: all */
	void *wants_arg;

	/* The position of the next look. */
	struct destination *places; /* their `id` and `is_configured` */
	size_t place_count;
	size_t place; /* the current destination */
	int state;    /* and the current state */
	int64_t seq;  /* examined up to this seq */
	int64_t first_seq;
	int64_t last_seq;
};

/* STORE_GONE: no event `event_id`. Ended with select_end. */
enum store_status select_start(
    struct store *store, struct selection *selection);

/* Takes a look; `found` gets at most SELECT_MAX_COUNT candidates, perhaps none.
 * STORE_GONE: everything was examined. */
enum store_status select_next(struct store *store, struct selection *selection,
    struct candidate *found, size_t *count);

void select_end(struct selection *selection);

#endif
