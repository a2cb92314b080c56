/*
 * Reports what keeps destinations back: see kept_back.h.
 */
#include "config.h"

#include "command/kept_back.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "json/write.h"
#include "command/print.h"

#define TIME_MAX_BYTES 64

void
kept_back_add(void *arg, int64_t destination)
{
	struct kept_back *kept_back = arg;
	size_t i;

	for (i = 0; i < kept_back->count; i++)
		if (kept_back->ids[i] == destination)
			return;
	kept_back->ids = xreallocarray(
	    kept_back->ids, kept_back->count + 1, sizeof *kept_back->ids);
	kept_back->ids[kept_back->count++] = destination;
}

enum store_status
kept_back_read(struct kept_back *kept_back, struct store *store)
{
	enum store_status status;
	size_t i;

	if (kept_back->count == 0)
		return STORE_OK;
	status = store_read_destinations(
	    store, &kept_back->destinations, &kept_back->destination_count);
	for (i = 0; i < kept_back->destination_count; i++)
		kept_back->destinations[i].hold_until_ms = store_shown_ms(
		    store, kept_back->destinations[i].hold_until_ms);
	return status;
}

/* Returns the word for what keeps the destination back; NULL if nothing does,
 * or if the destination is not one of `ids`. */
static const char *
word_of(
    const struct kept_back *kept_back, const struct destination *destination)
{
	size_t i = 0;

	while (i < kept_back->count && kept_back->ids[i] != destination->id)
		i++;
	if (i == kept_back->count)
		return NULL;
	if (destination->paused_at_ms != 0)
		return "paused";
	if (destination->hold_until_ms != 0)
		return "held";
	return destination->down_since_ms != 0 ? "down" : NULL;
}

static void
print_one(const struct destination *destination)
{
	struct buf until;

	print_safe(destination->name);
	if (destination->paused_at_ms != 0) {
		printf(" is paused: no delivery is tried until `hookspool "
		       "resume ");
	} else if (destination->hold_until_ms != 0) {
		buf_init(&until, TIME_MAX_BYTES);
		print_add_time(&until, destination->hold_until_ms);
		printf(" asked to wait until %s: no delivery is tried until "
		       "then, or until `hookspool resume ",
		    buf_text(&until));
		buf_free(&until);
	} else {
		puts(" is down: one delivery is tried now, the others when it "
		     "succeeds");
		return;
	}
	print_safe(destination->name);
	puts("`");
}

void
kept_back_print(const struct kept_back *kept_back)
{
	size_t i;

	for (i = 0; i < kept_back->destination_count; i++)
		if (word_of(kept_back, &kept_back->destinations[i]) != NULL)
			print_one(&kept_back->destinations[i]);
}

void
kept_back_add_json(const struct kept_back *kept_back, struct jsonout *out)
{
	size_t i;

	jsonout_open(out, "blocked", '[');
	for (i = 0; i < kept_back->destination_count; i++) {
		const struct destination *destination =
		    &kept_back->destinations[i];
		const char *word = word_of(kept_back, destination);

		if (word == NULL)
			continue;
		jsonout_open(out, NULL, '{');
		jsonout_text(out, "destination", destination->name);
		jsonout_text(out, "state", word);
		jsonout_some(out, "hold_until_ms", destination->hold_until_ms);
		jsonout_close(out, '}');
	}
	jsonout_close(out, ']');
}

void
kept_back_free(struct kept_back *kept_back)
{
	free(kept_back->ids);
	store_free_destinations(
	    kept_back->destinations, kept_back->destination_count);
	*kept_back = (struct kept_back){.count = 0};
}
