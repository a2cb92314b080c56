/*
 * Secret files: see tokens.h.
 */
#include "config.h"

#include "conf/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "conf/conf.h"
#include "conf/file.h"
#include "conf/texts.h"
#include "conf/value.h"

#define SECRET_FILE_MAX_BYTES 65536

/* Adds the secret on one line, without blanks around it. Skips blank and
 * comment lines. */
static const char *
add_secret(struct text_list *list, const char *line, size_t len,
    const char *(*check)(const char *))
{
	const char *problem;
	char *secret;

	while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
		len--;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (len == 0 || *line == '#')
		return NULL;
	if (memchr(line, '\0', len) != NULL)
		return "has a NUL byte";
	secret = xmemdup(line, len);
	problem = check(secret);
	if (problem == NULL)
		text_list_add(list, secret, len);
	explicit_bzero(secret, len);
	free(secret);
	return problem;
}

static bool
add_lines(struct text_list *list, const struct buf *bytes,
    const char *(*check)(const char *), const char *path, struct buf *why)
{
	const char *at = buf_text(bytes), *end = at + bytes->len;
	const char *newline, *problem;
	unsigned number = 0;

	while (at < end) {
		number++;
		newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL)
			newline = end;
		problem = add_secret(list, at, (size_t)(newline - at), check);
		if (problem != NULL) {
			buf_add_format(why, "%s:%u: the secret (not shown) %s",
			    path, number, problem);
			return false;
		}
		at = newline + 1;
	}
	if (list->count > 0)
		return true;
	buf_add_format(
	    why, "%s: the file has no secret; write one on each line", path);
	return false;
}

char *
tokens_read_file(struct config *config, const char *path,
    struct text_list *list, const char *(*check)(const char *))
{
	struct buf bytes, why;
	struct config_file *file;
	char *problem = NULL;

	config->files = xreallocarray(
	    config->files, config->file_count + 1, sizeof *config->files);
	file = &config->files[config->file_count++];
	buf_init(&bytes, SECRET_FILE_MAX_BYTES);
	buf_init(&why, 8192);
	if (!file_read(path, &bytes, file, &why) ||
	    !add_lines(list, &bytes, check, path, &why))
		problem = buf_take(&why);
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	buf_free(&bytes);
	buf_free(&why);
	return problem;
}

void
tokens_read_all(struct config *config)
{
	struct endpoint_config *e = &config->endpoint;

	if (e->verify_token_file != NULL)
		e->verify_tokens_problem = tokens_read_file(config,
		    e->verify_token_file, &e->verify_tokens, value_check_token);
	else if (e->verify_tokens.count == 0)
		e->verify_tokens_problem = xstrdup(
		    "no verify_token is configured; set verify_token or "
		    "verify_token_file");
	if (e->path_key_file != NULL)
		e->path_keys_problem = tokens_read_file(config,
		    e->path_key_file, &e->path_keys, value_check_path_key);
}
