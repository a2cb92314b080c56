/*
 * The table of all sections and keys of hookspool.conf(5): the type, bounds,
 * default and place of each value.
 */
#ifndef HOOKSPOOL_KEYS_H
#define HOOKSPOOL_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum section {
	SECTION_ENDPOINT,
	SECTION_SPOOL,
	SECTION_RELAY,
	SECTION_LOG,
	SECTION_DESTINATION, /* the only one with a name, and repeated */
	SECTION_COUNT        /* also: no section */
};

enum key_type {
	KEY_SIZE,      /* int64_t, bytes */
	KEY_LENGTH,    /* size_t, bytes */
	KEY_DURATION,  /* int64_t, milliseconds */
	KEY_NUMBER,    /* int */
	KEY_YES_NO,    /* bool */
	KEY_PATH,      /* char *, absolute */
	KEY_URL,       /* char * */
	KEY_PROXY,     /* char * */
	KEY_LIST,      /* struct text_list, by comma, repeated */
	KEY_TOKENS,    /* a secret list */
	KEY_PATH_KEYS, /* a secret list */
	KEY_SECRETS,   /* a secret list */
	KEY_HEADER,    /* struct text_list, repeated; secret */
	KEY_START,     /* bool: on-demand */
	KEY_LOG_TO,    /* struct log_config */
	KEY_LOG_FORMAT,
	KEY_LOG_LEVEL,
	KEY_ORDER
};

struct key {
	enum section section;
	const char *name;
	enum key_type type;
	size_t offset;       /* in the section's struct */
	const char *initial; /* default as text; NULL: zero */
	int64_t min;
	int64_t max;
	bool may_be_zero; /* 0 is allowed even below `min` */
};

#define KEYS_MAX 40 /* maximum of rows */

extern const struct key keys[];
extern const size_t key_count;
extern const char *const section_names[SECTION_COUNT];

/* Returns the key of that name in the section, or NULL. */
const struct key *key_find(enum section section, const char *name);

/* Returns whether `key` may be given more than once. */
bool key_is_repeatable(const struct key *key);

/* Reads `value` into `fields`, the struct of the key's section; owned members
 * must be NULL or valid. Returns false with `why` if the value is not right.
 * `why` never quotes a secret. */
bool key_set(
    const struct key *key, const char *value, void *fields, struct buf *why);

/* Return the word nearest to the typed one, a key of `section` or the name of a
 * section. NULL: none is near. */
const char *key_nearest(enum section section, const char *typed);
const char *section_nearest(const char *typed);

#endif
