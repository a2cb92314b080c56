/*
 * Finding an event by a part of its id. What tells ids apart is their end:
 * they begin with the time. No index knows ends, and capture is not to pay for
 * one: a short part is compared with every id there is, along the index of
 * ids, the newest first, a bounded number of them in one look.
 */
#include "config.h"

#include "spool/store_internal.h"

#include <stdio.h>
#include <string.h>

#include "spool/tx.h"

#define LOOK_MAX_COUNT  10000 /* ids in one look */
#define FOUND_MAX_COUNT 5     /* that are named where there are several */
#define ID_LENGTH       (UUID_TEXT_SIZE - 1)

struct finding {
	char part[UUID_TEXT_SIZE]; /* in lower case */
	size_t len;
	bool may_begin;                 /* an id can begin so, */
	bool may_end;                   /* or end so */
	char below[UUID_TEXT_SIZE + 1]; /* looked at from there on */
	char found[FOUND_MAX_COUNT + 1][UUID_TEXT_SIZE]; /* newest first */
	size_t found_count;
};

/* Whether `part` has its dashes where an id has them from `offset` on. */
static bool
is_part_of_id(const struct finding *finding, size_t offset)
{
	size_t i, at;

	for (i = 0; i < finding->len; i++) {
		at = offset + i;
		if ((finding->part[i] == '-') !=
		    (at == 8 || at == 13 || at == 18 || at == 23))
			return false;
	}
	return true;
}

/* False if no id can begin or end so. */
static bool
read_part(struct finding *finding, const char *text)
{
	size_t i;

	finding->len = strlen(text);
	if (finding->len == 0 || finding->len > ID_LENGTH)
		return false;
	for (i = 0; i < finding->len; i++) {
		finding->part[i] = text[i];
		if (text[i] >= 'A' && text[i] <= 'F')
			finding->part[i] = (char)(text[i] - 'A' + 'a');
		if (strchr("0123456789abcdef-", finding->part[i]) == NULL)
			return false;
	}
	finding->part[i] = '\0';
	finding->may_begin = is_part_of_id(finding, 0);
	finding->may_end = is_part_of_id(finding, ID_LENGTH - finding->len);
	return finding->may_begin || finding->may_end;
}

static bool
is_met(const struct finding *finding, const char *id)
{
	const char *end = id + ID_LENGTH - finding->len;

	return (finding->may_begin &&
		   memcmp(id, finding->part, finding->len) == 0) ||
	       (finding->may_end &&
		   memcmp(end, finding->part, finding->len) == 0);
}

/* Where nothing but a beginning is meant, only those ids are looked at. */
static void
set_bounds(struct finding *finding, char *from)
{
	/* 'g' is beyond every character of an id. */
	snprintf(finding->below, sizeof finding->below, "%sg",
	    finding->may_end ? "" : finding->part);
	snprintf(
	    from, UUID_TEXT_SIZE, "%s", finding->may_end ? "" : finding->part);
}

/* STORE_GONE: all were looked at, or enough were found. */
static enum store_status
look(struct store *store, struct finding *finding, const char *from)
{
	struct tx tx = tx_none(store);
	char below[sizeof finding->below];
	const char *id;
	int looked = 0;

	memcpy(below, finding->below, sizeof below);
	tx_ask(&tx,
	    "SELECT id FROM events WHERE id < ?1 AND id >= ?2 "
	    "ORDER BY id DESC",
	    below, from);
	while (looked < LOOK_MAX_COUNT &&
	       finding->found_count <= FOUND_MAX_COUNT && tx_next(&tx, &id)) {
		looked++;
		snprintf(finding->below, UUID_TEXT_SIZE, "%s", id);
		if (strlen(id) == ID_LENGTH && is_met(finding, id))
			memcpy(finding->found[finding->found_count++], id,
			    UUID_TEXT_SIZE);
	}
	if (looked < LOOK_MAX_COUNT)
		tx_fail(&tx, STORE_GONE);
	return tx_end(&tx);
}

static enum store_status
say_several(struct store *store, const struct finding *finding)
{
	bool is_all = finding->found_count <= FOUND_MAX_COUNT;
	size_t i, count = is_all ? finding->found_count : FOUND_MAX_COUNT;
	enum store_status status;
	struct buf names;

	buf_init(&names, WHY_MAX_BYTES);
	for (i = 0; i < count; i++)
		buf_add_format(
		    &names, "%s%s", i > 0 ? ", " : "", finding->found[i]);
	status = store_say(store, STORE_REFUSED,
	    "several events have an id that begins or ends with \"%s\": %s%s; "
	    "give more of it",
	    finding->part, buf_text(&names), is_all ? "" : " and more");
	buf_free(&names);
	return status;
}

enum store_status
store_find_event(struct store *store, const char *part, char *id)
{
	struct finding finding = {.found_count = 0};
	enum store_status status = STORE_GONE;
	char from[UUID_TEXT_SIZE];

	if (read_part(&finding, part)) {
		set_bounds(&finding, from);
		do
			status = look(store, &finding, from);
		while (status == STORE_OK);
	}
	if (status != STORE_GONE)
		return status;
	if (finding.found_count == 0)
		return store_say(store, STORE_GONE,
		    "no event has an id that begins or ends with \"%s\"", part);
	if (finding.found_count > 1)
		return say_several(store, &finding);
	memcpy(id, finding.found[0], UUID_TEXT_SIZE);
	return STORE_OK;
}

enum store_status
store_find_newest(struct store *store, char *id)
{
	struct tx tx = tx_none(store);

	if (!tx_get(&tx,
		"SELECT id FROM events "
		"WHERE seq = (SELECT max(seq) FROM events)",
		sql_text_to(id, UUID_TEXT_SIZE)))
		tx_say(&tx, STORE_GONE, "the spool holds no event");
	return tx_end(&tx);
}
