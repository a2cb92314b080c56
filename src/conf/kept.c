/*
 * Keeps the endpoint's last good configuration in the spool folder (design 2,
 * "A typo loses no event"), and finds it again. The file is written whole,
 * synced and renamed, so a crash leaves the old version or the new one.
 */
#include "config.h"

#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "conf/file.h"
#include "conf/ini.h"
#include "conf/near.h"

#define KEPT_MAX_BYTES (4U << 20)

#define STANDS_FOR "# It stands for "

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

/* Writes the text to a temporary file, then renames the file. */
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
	/* The folder's group, if it has access, can use the file too. */
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
config_keep(const struct config *config, const char *spool, struct buf *why)
{
	char *path = kept_path(spool);
	bool is_kept = false;
	struct buf text;
	int folder = -1;

	buf_clear(why);
	buf_init(&text, KEPT_MAX_BYTES);
	buf_add_format(&text, "%s" STANDS_FOR "%s\n", kept_head, config->path);
	buf_add_text(&text, config->kept_text != NULL ? config->kept_text : "");
	is_kept = is_kept_already(path, &text);
	if (is_kept)
		goto out;
	folder = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_kept = folder >= 0 && replace(folder, path, &text);
	if (!is_kept)
		buf_add_format(why,
		    "the last good configuration cannot be saved as %s: %s",
		    path, strerror(errno));
out:
	if (folder >= 0)
		close(folder);
	buf_free(&text);
	free(path);
	return is_kept;
}

/* ---- where the spool is ---- */

static char *
link_path(const char *path)
{
	return xasprintf("%s.spool", path);
}

/* Returns whether both names lead to the same existing file or folder. */
static bool
is_same(const char *a, const char *b)
{
	struct stat one, other;

	return strcmp(a, b) == 0 ||
	       (stat(a, &one) == 0 && stat(b, &other) == 0 &&
		   one.st_dev == other.st_dev && one.st_ino == other.st_ino);
}

char *
config_noted_spool_dup(const char *path)
{
	char *link = link_path(path), target[PATH_MAX];
	ssize_t len = readlink(link, target, sizeof target);

	free(link);
	if (len <= 0 || (size_t)len >= sizeof target || *target != '/')
		return NULL;
	return xmemdup(target, (size_t)len);
}

/* Makes a temporary link, then renames the link. */
static void
replace_link(const char *link, const char *target)
{
	char *temporary = xasprintf("%s.%ld", link, (long)getpid());

	if (symlink(target, temporary) == 0 && rename(temporary, link) != 0)
		unlink(temporary);
	free(temporary);
}

void
config_note_spool(const struct config *config)
{
	char *link = link_path(config->path);
	char *noted = config_noted_spool_dup(config->path);
	const char *spool = config->spool.path;

	if (strcmp(spool, CONFIG_DEFAULT_SPOOL) == 0) {
		if (noted != NULL)
			unlink(link);
	} else if (noted == NULL || strcmp(noted, spool) != 0) {
		replace_link(link, spool);
	}
	free(noted);
	free(link);
}

/* Guesses the spool folder that a bad file names. Any section will do, since
 * only [spool] has a key like `path` and the bad part may be the header.
 * Returns NULL if none is named. */
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
	return found;
}

/* ---- reading it ---- */

/* Returns whether `kept` was kept for the file at `path`. Earlier versions did
 * not record the file's path; their kept files match any. */
static bool
stands_for(const struct buf *kept, const char *path)
{
	const char *at = strstr(buf_text(kept), "\n" STANDS_FOR), *end;
	char *named;
	bool is_it;

	if (at == NULL)
		return true;
	at += strlen("\n" STANDS_FOR);
	end = strchrnul(at, '\n');
	named = xmemdup(at, (size_t)(end - at));
	is_it = is_same(named, path);
	free(named);
	return is_it;
}

/* Returns the configuration kept in the folder for the file at `path` (NULL:
 * for any file), or NULL. */
static struct config *
read_kept(const char *path, const char *folder, struct buf *why)
{
	char *kept = kept_path(folder);
	struct config *config = NULL;
	struct config_file file;
	struct buf bytes;

	buf_clear(why);
	buf_init(&bytes, KEPT_MAX_BYTES);
	if (!file_read(kept, &bytes, &file, why)) {
		/* `why` is set */
	} else if (path != NULL && !stands_for(&bytes, path)) {
		buf_add_format(why, "%s does not stand for %s", kept, path);
	} else {
		config = config_parse(
		    kept, buf_text(&bytes), bytes.len, CONFIG_ENDPOINT, why);
	}
	free(file.path);
	free(kept);
	buf_free(&bytes);
	return config;
}

/* Reads like read_kept a folder that the bad file does not name. The kept
 * configuration must name this folder as its spool, or name the spool to read
 * instead. */
static struct config *
read_noted(const char *path, const char *folder, struct buf *why)
{
	struct config *config = read_kept(path, folder, why), *next;

	if (config == NULL || is_same(config->spool.path, folder))
		return config;
	next = read_kept(path, config->spool.path, why);
	config_drop(config);
	return next;
}

static struct config *
find_kept(const char *path, const struct buf *bad, struct buf *why)
{
	char *named = guess_spool(bad), *noted = config_noted_spool_dup(path);
	struct config *config = NULL;
	struct buf ignored;

	buf_init(&ignored, 8192);
	if (named != NULL) {
		config = read_kept(NULL, named, why);
		if (config != NULL) {
			free(config->spool.path);
			config->spool.path = xstrdup(named);
		}
	}
	if (config == NULL && noted != NULL)
		config = read_noted(path, noted, named ? &ignored : why);
	if (config == NULL)
		config = read_noted(path, CONFIG_DEFAULT_SPOOL,
		    named != NULL || noted != NULL ? &ignored : why);
	buf_free(&ignored);
	free(noted);
	free(named);
	return config;
}

/* Makes the kept configuration replace the bad one: takes over the bad file's
 * name, and watches the bad file. */
static void
stand_in(struct config *config, struct config_file *bad)
{
	free(config->path);
	config->path = xstrdup(bad->path);
	config->files = xreallocarray(
	    config->files, config->file_count + 1, sizeof *config->files);
	config->files[config->file_count++] = *bad;
}

struct config *
config_load_kept(const char *path, struct buf *why)
{
	struct config *config;
	struct config_file bad;
	struct buf bytes;

	buf_init(&bytes, KEPT_MAX_BYTES);
	file_read(path, &bytes, &bad, why); /* Errors do not matter here. */
	buf_clear(why);
	config = find_kept(path, &bytes, why);
	if (config != NULL)
		stand_in(config, &bad);
	else
		free(bad.path);
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	buf_free(&bytes);
	return config;
}
