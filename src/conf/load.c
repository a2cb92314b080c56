/*
 * Finds and loads the configuration, and watches the files read. parse.c reads
 * the text.
 */
#include "config.h"

#include "conf/conf.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "conf/file.h"

#define CONFIG_MAX_BYTES (1U << 20)

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
