/*
 * Finding, loading, watching and freeing the configuration; parse.c reads
 * its text, kept.c keeps the last good one.
 */
#include <config.h>

#include "config/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "config/file.h"
#include "config/texts.h"

#define CONFIG_MAX_BYTES (1U << 20)

void
config_open_log(const struct log_config *log, const char *program)
{
	log_open(program, log->target, log->path, log->format);
	log_set_level(log->level);
}

static char *
absolute(const char *path)
{
	char here[PATH_MAX];

	if (*path == '/' || getcwd(here, sizeof here) == NULL)
		return xstrdup(path);
	return xasprintf("%s/%s", here, path);
}

char *
config_find(const char *option)
{
	const char *path = option;

	if (path == NULL)
		path = getenv("HOOKSPOOL_CONF");
	if (path == NULL || *path == '\0')
		path = CONFIG_DEFAULT_PATH;
	return absolute(path);
}

struct config *
config_load(const char *path, enum config_scope scope, struct buf *why)
{
	struct config *config = NULL;
	struct config_file file;
	struct buf bytes;

	buf_clear(why);
	buf_init(&bytes, CONFIG_MAX_BYTES);
	if (file_read(path, &bytes, &file, why))
		config =
		    config_parse(path, buf_text(&bytes), bytes.len, scope, why);
	if (config == NULL) {
		free(file.path);
	} else {
		config->files = xreallocarray(config->files,
		    config->file_count + 1, sizeof *config->files);
		config->files[config->file_count++] = file;
	}
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	buf_free(&bytes);
	return config;
}

bool
config_is_stale(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->file_count; i++)
		if (file_is_changed(&config->files[i]))
			return true;
	return false;
}

bool
config_is_settled(const struct config *config, int64_t wall_ms)
{
	size_t i;

	for (i = 0; i < config->file_count; i++)
		if (file_is_fresh(&config->files[i], wall_ms, CONFIG_SETTLE_MS))
			return false;
	return true;
}

bool
config_path_is_settled(const char *path, int64_t wall_ms)
{
	struct config_file file = file_look(path);

	return !file_is_fresh(&file, wall_ms, CONFIG_SETTLE_MS);
}

static void
free_endpoint(struct endpoint_config *endpoint)
{
	free(endpoint->verify_token_file);
	free(endpoint->path_key_file);
	text_list_wipe(&endpoint->verify_tokens);
	free(endpoint->verify_tokens_problem);
	text_list_wipe(&endpoint->path_keys);
	free(endpoint->path_keys_problem);
	text_list_free(&endpoint->communities);
}

static void
free_destination(struct destination_config *destination)
{
	free(destination->name);
	free(destination->url);
	text_list_free(&destination->events);
	text_list_free(&destination->communities);
	text_list_wipe(&destination->headers);
	free(destination->secret_file);
	text_list_wipe(&destination->secrets);
	free(destination->ca_file);
	free(destination->client_cert);
	free(destination->client_key);
	free(destination->client_cert_pem);
	if (destination->client_key_pem != NULL)
		explicit_bzero(destination->client_key_pem,
		    strlen(destination->client_key_pem));
	free(destination->client_key_pem);
	free(destination->proxy);
}

void
config_free(struct config *config)
{
	size_t i;

	if (config == NULL)
		return;
	free(config->path);
	free_endpoint(&config->endpoint);
	free(config->spool.path);
	free(config->relay.program);
	free(config->log.path);
	for (i = 0; i < config->destination_count; i++)
		free_destination(&config->destinations[i]);
	free(config->destinations);
	text_list_free(&config->destination_names);
	free(config->kept_text);
	for (i = 0; i < config->file_count; i++)
		free(config->files[i].path);
	free(config->files);
	free(config);
}
