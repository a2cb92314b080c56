/*
 * The configuration in memory: using and freeing. load.c finds and watches the
 * files, parse.c reads the text, kept.c keeps the last good one.
 */
#include "config.h"

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/file.h"
#include "conf/texts.h"

void
config_open_log(const struct log_config *log, const char *program)
{
	log_open(program, log->target, log->path, log->format);
	log_set_level(log->level);
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

static void
free_all(struct config *config)
{
	size_t i;

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

/* A configuration in use is const, all but the count of its users. */
static struct config *
counted(const struct config *config)
{
	return (struct config *)(uintptr_t)config;
}

const struct config *
config_hold(const struct config *config)
{
	atomic_fetch_add(&counted(config)->more_users, 1);
	return config;
}

void
config_drop(const struct config *config)
{
	if (config != NULL &&
	    atomic_fetch_sub(&counted(config)->more_users, 1) == 0)
		free_all(counted(config));
}
