/*
 * Checks names of destinations: see names.h.
 */
#include "config.h"

#include "command/names.h"

#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "conf/conf.h"
#include "conf/near.h"
#include "conf/texts.h"

static bool
has_name(const struct text_list *names, const char *name)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static void
add_name(struct text_list *names, const char *name)
{
	if (!has_name(names, name))
		text_list_add(names, name, strlen(name));
}

/* Collects the configured names, then names known only to the spool. */
static bool
collect(const struct call *call, struct text_list *names)
{
	const struct text_list *configured = &call->config->destination_names;
	char **kept = NULL;
	size_t i, count = 0;
	enum store_status status = store_read_names(call->store, &kept, &count);

	for (i = 0; i < configured->count; i++)
		add_name(names, configured->items[i]);
	for (i = 0; i < count; i++) {
		add_name(names, kept[i]);
		free(kept[i]);
	}
	free(kept);
	return status == STORE_OK;
}

static void
refuse(const struct call *call, const char *name, const struct text_list *names)
{
	const char *nearest = NULL;
	struct buf hint;
	size_t i;

	buf_init(&hint, WHY_MAX_BYTES);
	for (i = 0; i < names->count; i++)
		near_prefer(name, names->items[i], &nearest);
	if (nearest != NULL)
		buf_add_format(&hint, "; did you mean \"%s\"?", nearest);
	for (i = 0; i < names->count && nearest == NULL; i++)
		buf_add_format(&hint, "%s %s", i == 0 ? "; known are" : ",",
		    names->items[i]);
	command_fail("no destination \"%s\" is in %s or in the spool%s", name,
	    call->config->path, buf_text(&hint));
	buf_free(&hint);
}

bool
names_check(const struct call *call, const char *name)
{
	struct text_list names = {.count = 0};
	bool is_read = collect(call, &names), is_known = has_name(&names, name);

	if (!is_read)
		command_fail("%s", store_why(call->store));
	else if (!is_known)
		refuse(call, name, &names);
	text_list_free(&names);
	return is_read && is_known;
}
