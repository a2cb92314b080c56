/*
 * The files of destinations: see credentials.h.
 */
#include <config.h>

#include "config/credentials.h"

#include <stdlib.h>

#include "config/config.h"
#include "config/tokens.h"
#include "config/value.h"

/* NULL, or the sentence that says what is wrong; the caller frees it. */
static char *
read_secrets(struct config *config, struct destination_config *destination)
{
	if (destination->secret_file == NULL)
		return NULL;
	return tokens_read_file(config, destination->secret_file,
	    &destination->secrets, value_check_secret);
}

bool
credentials_read_all(struct config *config, struct buf *why)
{
	char *problem;
	size_t i;

	for (i = 0; i < config->destination_count; i++) {
		problem = read_secrets(config, &config->destinations[i]);
		if (problem == NULL)
			continue;
		buf_add_format(why, "%s: [destination %s] %s: %s", config->path,
		    config->destinations[i].name, "secret_file", problem);
		free(problem);
		return false;
	}
	return true;
}
