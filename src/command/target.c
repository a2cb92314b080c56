/*
 * The endpoint for probe and send: see target.h.
 */
#include "config.h"

#include "command/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "command/command.h"
#include "command/sender.h"
#include "conf/file.h"
#include "conf/texts.h"
#include "conf/value.h"

#define SENDER_WAITS_MS 20000
#define URL_MAX_BYTES   8192 /* with blanks around the URL */
#define CA_MAX_BYTES    (4U << 20)
#define BLANKS          " \t\r\n"

static bool
read_stdin(struct buf *bytes, struct buf *why)
{
	char chunk[1024];
	ssize_t got;

	do {
		got = read(STDIN_FILENO, chunk, sizeof chunk);
		if (got > 0 && !buf_add(bytes, chunk, (size_t)got)) {
			buf_add_text(why, "it is too long for a URL");
			return false;
		}
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0)
		buf_add_text(why, strerror(errno));
	explicit_bzero(chunk, sizeof chunk);
	return got == 0;
}

static bool
read_secret_file(const char *path, struct buf *bytes, struct buf *why)
{
	struct config_file file;
	bool is_read = file_read(path, bytes, &file, why);

	free(file.path);
	return is_read;
}

/* Returns the only word of the text; NULL if there is none, or more. */
static char *
word_dup(const struct buf *text)
{
	const char *word = buf_text(text) + strspn(buf_text(text), BLANKS);
	size_t len = strcspn(word, BLANKS);
	const char *rest = word + len + strspn(word + len, BLANKS);

	if (len == 0 || rest != buf_text(text) + text->len)
		return NULL;
	return xmemdup(word, len);
}

static int
read_url(struct target *target, const char *operand)
{
	bool is_stdin = strcmp(operand, "-") == 0;
	struct buf bytes, why;
	int status = STATUS_FINE;

	if (!is_stdin && *operand != '@') {
		target->to.url = xstrdup(operand);
		return STATUS_FINE;
	}
	buf_init(&bytes, URL_MAX_BYTES);
	buf_init(&why, WHY_MAX_BYTES);
	if (!(is_stdin ? read_stdin(&bytes, &why)
		       : read_secret_file(operand + 1, &bytes, &why)))
		status = command_fail(
		    "%s%s", is_stdin ? "standard input: " : "", buf_text(&why));
	else if ((target->to.url = word_dup(&bytes)) == NULL)
		status = command_fail("%s: the text is not one URL; write the "
				      "URL and nothing else",
		    is_stdin ? "standard input" : operand + 1);
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	buf_free(&bytes);
	buf_free(&why);
	return status;
}

/* Checks the URL. Never quotes a text from a file or standard input, which may
 * be a secret. */
static int
check_url(
    const struct target *target, const struct call *call, const char *operand)
{
	const char *url = target->to.url, *why = value_check_url(url);
	char *shown;
	int status;

	if (why == NULL && strchr(url, '#') != NULL)
		why = "has a #, which no sender sends; leave it out";
	if (why == NULL)
		return STATUS_FINE;
	if (url[0] != '\0' && strcmp(url, operand) != 0)
		return command_fail("%s: the URL %s",
		    *operand == '@' ? operand + 1 : "standard input", why);
	shown = config_url_shown_dup(url);
	status = command_misuse(call, "\"%s\" %s", shown, why);
	free(shown);
	return status;
}

static int
read_ca(struct target *target, const char *path)
{
	struct config_file file;
	struct buf bytes, why;
	int status = STATUS_FINE;

	if (path == NULL)
		return STATUS_FINE;
	buf_init(&bytes, CA_MAX_BYTES);
	buf_init(&why, WHY_MAX_BYTES);
	if (!file_read_public(path, &bytes, &file, &why))
		status = command_fail("--ca-file %s", buf_text(&why));
	else if (strstr(buf_text(&bytes), "CERTIFICATE-----") == NULL)
		status =
		    command_fail("--ca-file %s: the file has no certificate; "
				 "write one or several as PEM",
			path);
	else
		target->to.ca_pem = xstrdup(buf_text(&bytes));
	free(file.path);
	buf_free(&bytes);
	buf_free(&why);
	return status;
}

int
target_read(struct target *target, const struct call *call, const char *operand,
    const char *ca_file)
{
	int status;

	*target = (struct target){.to = {.timeout_ms = SENDER_WAITS_MS,
				      .concurrency = 1,
				      .allow_private = true}};
	status = read_url(target, operand);
	if (status == STATUS_FINE)
		status = check_url(target, call, operand);
	if (status == STATUS_FINE)
		status = read_ca(target, ca_file);
	if (status == STATUS_FINE)
		sender_add_url_secrets(&target->secrets, target->to.url);
	return status;
}

void
target_free(struct target *target)
{
	if (target->to.url != NULL)
		explicit_bzero(target->to.url, strlen(target->to.url));
	free(target->to.url);
	free(target->to.ca_pem);
	text_list_wipe(&target->secrets);
	*target = (struct target){.to = {.url = NULL}};
}
