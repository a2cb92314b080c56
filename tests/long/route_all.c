/*
 * Routes all that is new to one destination and delivers nothing, for the
 * long runs: so a backlog is made.
 *     route_all SPOOL DESTINATION
 * Assumes that no relay runs.
 */
#include "config.h"

#include <stdio.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "spool/spool.h"

#define BATCH_MAX 256 /* events in one transaction, as the relay */

static enum store_status
route_batch(struct store *store, int64_t destination, size_t *count)
{
	struct route routes[BATCH_MAX];
	struct new_event *events = NULL;
	int64_t routed_seq = 0;
	enum store_status status = store_read_routed(store, &routed_seq);
	size_t i;

	if (status == STORE_OK)
		status = store_read_new(store, BATCH_MAX, &events, count);
	if (status != STORE_OK || *count == 0)
		return status;
	for (i = 0; i < *count; i++)
		routes[i] = (struct route){
		    .seq = events[i].seq, .destination = destination};
	status = store_route(
	    store, routed_seq, events[*count - 1].seq, routes, *count);
	store_free_new(events, *count);
	return status;
}

int
main(int argc, char **argv)
{
	struct store_options options = {.access = STORE_RELAY};
	struct destination_config configured = {
	    .order = DESTINATION_ORDER_TICKET};
	struct destination kept;
	enum store_status status;
	struct store *store;
	size_t count = 1;
	struct buf why;

	if (argc != 3)
		return 2;
	options.path = argv[1];
	configured.name = argv[2];
	buf_init(&why, 1000);
	if (store_open(&options, &store, &why) != STORE_OK) {
		fprintf(stderr, "%s\n", buf_text(&why));
		return 1;
	}
	status = store_set_destinations(store, &configured, 1, &kept);
	while (status == STORE_OK && count > 0)
		status = route_batch(store, kept.id, &count);
	if (status != STORE_OK)
		fprintf(stderr, "%s\n", store_why(store));
	store_close(store);
	buf_free(&why);
	return status == STORE_OK ? 0 : 1;
}
