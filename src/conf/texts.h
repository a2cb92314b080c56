/*
 * Lists of texts, some of them secrets. Knows no key.
 */
#ifndef HOOKSPOOL_TEXTS_H
#define HOOKSPOOL_TEXTS_H

#include <stddef.h>

struct text_list;

/* Appends a copy of the `len` bytes. */
void text_list_add(struct text_list *list, const char *text, size_t len);

/* Appends the items of `value` between commas, without blanks around them,
 * until `check` (NULL: none) objects to one. Returns NULL or the objection; the
 * items before stay appended. */
const char *text_list_split(struct text_list *list, const char *value,
    const char *(*check)(const char *));

void text_list_free(struct text_list *list);

/* Overwrites the items, which are secrets, and frees the list. */
void text_list_wipe(struct text_list *list);

#endif
