/*
 * The table of all sections and keys of hookspool.conf(5): what type a value
 * has, its bounds and default, and where it is kept.
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
	SECTION_COUNT        /* also: none */
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
	KEY_TOKENS,    /* likewise; secret */
	KEY_PATH_KEYS, /* likewise; secret */
	KEY_SECRETS,   /* likewise; secret */
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
	size_t offset;       /* in the struct of its section */
	const char *initial; /* the default as text; NULL: all zero */
	int64_t min;
	int64_t max;
	bool may_be_zero; /* 0 is fine whatever `min` says */
};

#define KEYS_MAX 40 /* no more rows than this */

extern const struct key keys[];
extern const size_t key_count;
extern const char *const section_names[SECTION_COUNT];

/* The key of that name in the section; NULL: there is none. */
const struct key *key_find(enum section section, const char *name);

/* Whether it may be given more than once. */
bool key_is_repeatable(const struct key *key);

/* Reads `value` into `fields`, the struct of the key's section, whose owned
 * members are NULL or valid. False, with `why` ("expected ..., got ..."), if
 * it is not right; a secret is never quoted. */
bool key_set(
    const struct key *key, const char *value, void *fields, struct buf *why);

/* The word that is nearest to what was typed: a key of `section`, or the
 * name of a section. NULL: none is near. */
const char *key_nearest(enum section section, const char *typed);
const char *section_nearest(const char *typed);

#endif
