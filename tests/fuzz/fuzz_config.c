/*
 * The meaning of the configuration. Holds: what is refused has a reason that
 * names the file and shows no raw byte; what is accepted is within its
 * bounds; what all of hookspool accepts, its endpoint accepts; what the
 * endpoint keeps of a file, it reads again as the same. Texts that name
 * other files are left out: a target reads no file.
 */
#include "config.h"

#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "conf/conf.h"

static void
check_reason(const struct buf *why)
{
	const char *text = buf_text(why);

	HOLDS(strncmp(text, "/fuzz.conf", 10) == 0);
	for (; *text != '\0'; text++)
		HOLDS((unsigned char)*text >= 32 && *text != 127);
}

static void
check_list(const struct text_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		HOLDS(list->items[i] != NULL && list->items[i][0] != '\0');
}

/* What may be shown of a good URL begins and goes on as it does, and has no
 * user in it. */
static void
check_shown(const char *url)
{
	char *shown = config_url_shown_dup(url);

	HOLDS(strlen(shown) <= strlen(url) + 4);
	HOLDS(strncmp(shown, url, 4) == 0);
	HOLDS(strchr(shown, '@') == NULL);
	free(shown);
}

static void
check_endpoint(const struct endpoint_config *endpoint)
{
	HOLDS(endpoint->threads >= 1 && endpoint->threads <= 256);
	HOLDS(endpoint->max_body_bytes >= 1024);
	HOLDS(endpoint->max_body_bytes <= 64 << 20);
	HOLDS(
	    endpoint->body_timeout_ms > 0 && endpoint->capture_timeout_ms > 0);
	HOLDS(endpoint->body_timeout_ms + endpoint->capture_timeout_ms < 20000);
	check_list(&endpoint->verify_tokens);
	check_list(&endpoint->path_keys);
	check_list(&endpoint->communities);
}

static void
check_config(const struct config *config)
{
	const struct destination_config *destination;
	size_t i;

	check_endpoint(&config->endpoint);
	HOLDS(config->spool.path != NULL && config->spool.path[0] == '/');
	HOLDS(config->spool.min_free_bytes >= 0);
	HOLDS(config->spool.max_size_bytes >= 0);
	HOLDS((config->log.target == LOG_TARGET_FILE) ==
	      (config->log.path != NULL));
	for (i = 0; i < config->destination_count; i++) {
		destination = &config->destinations[i];
		HOLDS(destination->name != NULL && *destination->name != '\0');
		HOLDS(strncasecmp(destination->url, "http", 4) == 0);
		HOLDS(destination->concurrency >= 1);
		HOLDS(destination->timeout_ms > 0);
		HOLDS(destination->events.count > 0);
		HOLDS(destination->communities.count > 0);
		check_list(&destination->headers);
		check_list(&destination->secrets);
		check_shown(destination->url);
		if (destination->proxy != NULL)
			check_shown(destination->proxy);
	}
}

static struct config *
parse(const char *text, size_t len, enum config_scope scope)
{
	struct config *config;
	struct buf why;

	buf_init(&why, 65536);
	config = config_parse("/fuzz.conf", text, len, scope, &why);
	if (config != NULL)
		check_config(config);
	else
		check_reason(&why);
	buf_free(&why);
	return config;
}

static void
check_kept(const struct config *config)
{
	struct config *again;

	HOLDS(config->kept_text != NULL);
	again = parse(
	    config->kept_text, strlen(config->kept_text), CONFIG_ENDPOINT);
	HOLDS(again != NULL);
	HOLDS(strcmp(again->kept_text, config->kept_text) == 0);
	HOLDS(strcmp(again->spool.path, config->spool.path) == 0);
	HOLDS(again->endpoint.threads == config->endpoint.threads);
	HOLDS(
	    again->endpoint.max_body_bytes == config->endpoint.max_body_bytes);
	HOLDS(again->endpoint.verify_tokens.count ==
	      config->endpoint.verify_tokens.count);
	config_drop(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct config *all, *endpoint;

	if (memmem(text, size, "token_file", 10) != NULL ||
	    memmem(text, size, "key_file", 8) != NULL ||
	    memmem(text, size, "secret_file", 11) != NULL ||
	    memmem(text, size, "client_cert", 11) != NULL)
		return 0;
	all = parse(text, size, CONFIG_ALL);
	endpoint = parse(text, size, CONFIG_ENDPOINT);
	HOLDS(all == NULL || endpoint != NULL);
	if (endpoint != NULL)
		check_kept(endpoint);
	config_drop(all);
	config_drop(endpoint);
	return 0;
}
