/*
 * Bodies in memory: see bodies.h.
 */
#include "config.h"

#include "relay/bodies.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"

static struct body **
slot_of(struct bodies *bodies, int64_t seq)
{
	return &bodies->slots[(uint64_t)seq % BODIES_SLOTS_COUNT];
}

static struct body *
find(struct bodies *bodies, int64_t seq)
{
	struct body *body = *slot_of(bodies, seq);

	while (body != NULL && body->seq != seq)
		body = body->next;
	return body;
}

static bool
has_room(const struct bodies *bodies, size_t len)
{
	return bodies->held_bytes <= bodies->budget_bytes &&
	       len <= bodies->budget_bytes - bodies->held_bytes;
}

static struct body *
add(struct bodies *bodies, int64_t seq, char *bytes, size_t len)
{
	struct body **slot = slot_of(bodies, seq);
	struct body *body = xcalloc(1, sizeof *body);

	*body = (struct body){.seq = seq,
	    .bytes = bytes,
	    .len = len,
	    .among = bodies,
	    .next = *slot};
	*slot = body;
	bodies->held_bytes += len;
	return body;
}

enum store_status
bodies_take(struct bodies *bodies, struct store *store, const struct due *due,
    bool is_owed, struct body **body)
{
	enum store_status status;
	char *bytes = NULL;
	size_t len = 0;

	*body = find(bodies, due->seq);
	if (*body == NULL) {
		if (!is_owed && !has_room(bodies, due->body_bytes))
			return STORE_OK;
		status = store_read_body(store, due->seq, &bytes, &len);
		if (status != STORE_OK)
			return status;
		*body = add(bodies, due->seq, bytes, len);
	}
	(*body)->users++;
	return STORE_OK;
}

void
bodies_drop(struct body *body)
{
	struct bodies *bodies;
	struct body **link;

	if (body == NULL)
		return;
	assert(body->users > 0);
	if (--body->users > 0)
		return;
	bodies = body->among;
	for (link = slot_of(bodies, body->seq); *link != body;
	     link = &(*link)->next)
		assert(*link != NULL);
	*link = body->next;
	bodies->held_bytes -= body->len;
	bodies->is_freed = true;
	free(body->bytes);
	free(body);
}
