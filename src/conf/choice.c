/*
 * Chooses between the file and the previous configuration: see choice.h.
 */
#include "config.h"

#include "conf/choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "conf/texts.h"

#define WHY_MAX_BYTES 4096

static bool
has_path_keys(const struct config *config)
{
	return config->endpoint.path_key_file != NULL ||
	       config->endpoint.path_keys.count > 0;
}

const char *
choice_find_loss(const struct config *now, const struct config *before)
{
	if (before->endpoint.is_given && !now->endpoint.is_given)
		return "all of [endpoint]";
	if (has_path_keys(before) && !has_path_keys(now))
		return "its path keys";
	if (before->spool.is_path_given && !now->spool.is_path_given)
		return "the path of the spool";
	return NULL;
}

static void
say_loss(struct buf *why, const struct config *before, const char *loss)
{
	buf_add_format(why,
	    "%s has lost %s, perhaps because it is half saved, and is not "
	    "used; if the change is meant, remove %s/%s and restart the web "
	    "server",
	    before->path, loss, before->spool.path, CONFIG_KEPT_NAME);
}

/* Returns whether to use the kept configuration instead of the good file. */
static bool
stays(const struct choice *choice, const struct config *kept, bool *is_passing,
    struct buf *why)
{
	const char *loss = choice_find_loss(choice->config, kept);

	*is_passing = false;
	if (loss != NULL) {
		say_loss(why, kept, loss);
		return true;
	}
	*is_passing = strcmp(kept->kept_text, choice->config->kept_text) != 0 &&
		      !config_path_is_settled(kept->path, clock_wall_ms());
	return *is_passing;
}

void
choose_at_start(const char *path, struct choice *choice, struct buf *why)
{
	struct config *kept;
	struct buf ignored;

	*choice =
	    (struct choice){.config = config_load(path, CONFIG_ENDPOINT, why)};
	buf_init(&ignored, WHY_MAX_BYTES);
	kept = config_load_kept(path, &ignored);
	if (choice->config == NULL ||
	    (kept != NULL && stays(choice, kept, &choice->is_passing, why))) {
		config_drop(choice->config);
		choice->config = kept;
		choice->is_kept = kept != NULL;
		kept = NULL;
	}
	config_drop(kept);
	buf_free(&ignored);
}

struct config *
choose_anew(const struct config *in_use, struct buf *why)
{
	struct config *config = config_load(in_use->path, CONFIG_ENDPOINT, why);
	int64_t now_ms = clock_wall_ms();
	const char *loss;

	if (config == NULL) {
		if (!config_path_is_settled(in_use->path, now_ms))
			buf_clear(why);
		return NULL;
	}
	loss = choice_find_loss(config, in_use);
	if (config_is_settled(config, now_ms) && loss == NULL)
		return config;
	if (config_is_settled(config, now_ms))
		say_loss(why, in_use, loss);
	config_drop(config);
	return NULL;
}

/* Copies `before` to `list`, and moves the file's problem to `said`. */
static void
carry(struct text_list *list, char **problem, const struct text_list *before,
    struct buf *said)
{
	size_t i;

	text_list_wipe(list);
	for (i = 0; i < before->count; i++)
		text_list_add(list, before->items[i], strlen(before->items[i]));
	buf_add_format(said, "%s%s", said->len > 0 ? "; " : "", *problem);
	free(*problem);
	*problem = NULL;
}

void
choice_carry_secrets(
    struct config *now, const struct config *before, struct buf *said)
{
	struct endpoint_config *e = &now->endpoint;
	const struct endpoint_config *had = &before->endpoint;

	buf_clear(said);
	if (e->path_keys_problem != NULL && had->path_keys_problem == NULL &&
	    had->path_keys.count > 0)
		carry(&e->path_keys, &e->path_keys_problem, &had->path_keys,
		    said);
	if (e->verify_tokens_problem != NULL && e->verify_token_file != NULL &&
	    had->verify_tokens_problem == NULL)
		carry(&e->verify_tokens, &e->verify_tokens_problem,
		    &had->verify_tokens, said);
}
