/*
 * Lists of texts, some of them secrets. Knows no key.
 */
#ifndef HOOKSPOOL_TEXTS_H
#define HOOKSPOOL_TEXTS_H

#include <stddef.h>

struct text_list;

/* Appends a copy of the `len` bytes. */
void text_list_add(struct text_list *list, const char *text, size_t len);

/* Appends the items of `value` that stand between commas, without the blanks
 * around them, if `check` (NULL: none) has nothing to say of them. NULL, or
 * what is wrong with the first that is; those before it are added. */
const char *text_list_split(struct text_list *list, const char *value,
    const char *(*check)(const char *));

void text_list_free(struct text_list *list);

/* The same for secrets, which it overwrites before. */
void text_list_wipe(struct text_list *list);

#endif
