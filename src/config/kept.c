/*
 * The last good configuration of the endpoint, kept in the spool folder
 * (design 2, "A typo loses no event"). It is replaced whole, by rename, and
 * synced with its folder entry, so that after a crash it is the old one or
 * the new one.
 */
#include <config.h>

#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "config/file.h"
#include "config/ini.h"
#include "config/near.h"

#define KEPT_MAX_BYTES (4U << 20)

static const char kept_head[] =
    "# The last good configuration of hookspool's endpoint, kept by it in\n"
    "# case the file itself is bad when it starts. Do not edit this one.\n";

static char *
kept_path(const char *folder)
{
	return xasprintf("%s/%s", folder, CONFIG_KEPT_NAME);
}

static bool
is_kept_already(const char *path, const struct buf *text)
{
	struct config_file file;
	struct buf bytes, why;
	bool is_same;

	buf_init(&bytes, KEPT_MAX_BYTES);
	buf_init(&why, 8192);
	is_same = file_read(path, &bytes, &file, &why) &&
		  bytes.len == text->len &&
		  memcmp(buf_text(&bytes), buf_text(text), text->len) == 0;
	free(file.path);
	buf_free(&bytes);
	buf_free(&why);
	return is_same;
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	ssize_t wrote;

	while (len > 0) {
		wrote = write(fd, bytes, len);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return false;
		bytes += wrote;
		len -= (size_t)wrote;
	}
	return true;
}

/* Writes the text under a name of its own, and then renames that. */
static bool
replace(int folder, const char *path, const struct buf *text)
{
	char *temporary = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC);
	bool is_done = false;
	struct stat st;
	int saved;

	if (fd < 0)
		goto out;
	/* Who shares the folder by its group shares the file. */
	is_done = fstat(folder, &st) == 0 &&
		  fchmod(fd, (st.st_mode & 0070) != 0 ? 0660 : 0600) == 0 &&
		  write_all(fd, buf_text(text), text->len) && fsync(fd) == 0 &&
		  rename(temporary, path) == 0 && fsync(folder) == 0;
	saved = errno;
	close(fd);
	if (!is_done)
		unlink(temporary);
	errno = saved;
out:
	free(temporary);
	return is_done;
}

bool
config_keep(const struct config *config, struct buf *why)
{
	char *path = kept_path(config->spool.path);
	bool is_kept = false;
	struct buf text;
	int folder = -1;

	buf_clear(why);
	buf_init(&text, KEPT_MAX_BYTES + sizeof kept_head);
	buf_add_text(&text, kept_head);
	buf_add_text(&text, config->kept_text != NULL ? config->kept_text : "");
	is_kept = is_kept_already(path, &text);
	if (is_kept)
		goto out;
	folder = open(config->spool.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_kept = folder >= 0 && replace(folder, path, &text);
	if (!is_kept)
		buf_add_format(why,
		    "the last good configuration cannot be kept as %s: %s",
		    path, strerror(errno));
out:
	if (folder >= 0)
		close(folder);
	buf_free(&text);
	free(path);
	return is_kept;
}

/* The spool folder that a bad file names, as far as that can be seen: only
 * [spool] has a key like `path`, so its header may be what is bad. */
static char *
guess_spool(const struct buf *bytes)
{
	const char *at = buf_text(bytes), *end = at + bytes->len, *newline;
	struct ini_line line = {.kind = INI_NOTHING};
	char *found = NULL;

	for (; at < end && found == NULL; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL)
			newline = end;
		if (ini_read(&line, at, (size_t)(newline - at)) == NULL &&
		    line.kind == INI_KEY && *line.value == '/' &&
		    near_distance(line.key, "path") <= 1)
			found = xstrdup(line.value);
	}
	ini_free(&line);
	return found != NULL ? found : xstrdup(CONFIG_DEFAULT_SPOOL);
}

/* The kept one stands for the bad one: it has its name, watches it instead
 * of itself, and uses the folder in which it was found. */
static void
stand_in(struct config *config, struct config_file *bad, char *folder)
{
	free(config->path);
	config->path = xstrdup(bad->path);
	free(config->spool.path);
	config->spool.path = folder;
	config->files = xreallocarray(
	    config->files, config->file_count + 1, sizeof *config->files);
	config->files[config->file_count++] = *bad;
}

struct config *
config_load_kept(const char *path, struct buf *why)
{
	struct config *config = NULL;
	struct config_file bad, kept_file;
	struct buf bytes;
	char *folder, *kept;

	buf_clear(why);
	buf_init(&bytes, KEPT_MAX_BYTES);
	file_read(path, &bytes, &bad, why); /* it is bad in any case */
	folder = guess_spool(&bytes);
	kept = kept_path(folder);
	buf_clear(&bytes);
	buf_clear(why);
	if (file_read(kept, &bytes, &kept_file, why))
		config = config_parse(
		    kept, buf_text(&bytes), bytes.len, CONFIG_ENDPOINT, why);
	if (config != NULL) {
		stand_in(config, &bad, folder);
	} else {
		free(bad.path);
		free(folder);
	}
	free(kept_file.path);
	free(kept);
	buf_free(&bytes);
	return config;
}
