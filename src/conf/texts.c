/*
 * Lists of texts: see texts.h.
 */
#include "config.h"

#include "conf/texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/conf.h"

void
text_list_add(struct text_list *list, const char *text, size_t len)
{
	list->items =
	    xreallocarray(list->items, list->count + 1, sizeof *list->items);
	list->items[list->count++] = xmemdup(text, len);
}

void
text_list_free(struct text_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){.items = NULL};
}

void
text_list_wipe(struct text_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		explicit_bzero(list->items[i], strlen(list->items[i]));
	text_list_free(list);
}

const char *
text_list_split(struct text_list *list, const char *value,
    const char *(*check)(const char *))
{
	const char *why = NULL;
	size_t len, used;
	char *item;

	for (;; value += len + 1) {
		value += strspn(value, " \t");
		len = used = strcspn(value, ",");
		while (used > 0 && strchr(" \t", value[used - 1]) != NULL)
			used--;
		if (used == 0)
			return "has an empty item";
		item = xmemdup(value, used);
		if (check != NULL)
			why = check(item);
		if (why == NULL)
			text_list_add(list, value, used);
		explicit_bzero(item, used);
		free(item);
		if (why != NULL || value[len] == '\0')
			return why;
	}
}
