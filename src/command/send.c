/*
 * hookspool send: posts files to an endpoint, one after the other, as the
 * sender would, and prints each answer. Every answer but 200 is wrong.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/command.h"
#include "json/write.h"
#include "command/print.h"
#include "command/sender.h"
#include "command/target.h"
#include "conf/conf.h"
#include "deliver/deliver.h"

#define FILE_MAX_BYTES   (128U << 20)
#define ENDPOINT_SUCCESS 200

enum { OPTION_CA_FILE, OPTION_JSON };

static const struct option_row send_options[] = {
    [OPTION_CA_FILE] = {"ca-file", "FILE",
	"verify the certificate with the CAs in this file [the system's]"},
    [OPTION_JSON] = {"json", NULL, "print one JSON document"},
    {.name = NULL}};

static bool
read_file(const char *path, struct buf *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;
	char *room;

	if (fd < 0)
		return false;
	do {
		room = buf_reserve(bytes, 65536);
		if (room == NULL) {
			errno = EFBIG;
			got = -1;
			break;
		}
		got = read(fd, room, 65536);
		if (got > 0)
			bytes->len += (size_t)got;
	} while (got > 0);
	close(fd);
	return got == 0;
}

/* Posts a file. Returns whether the sender would be satisfied: status 200 in
 * time. */
static bool
post_file(const struct destination_config *endpoint, const char *path,
    struct deliver_result *result)
{
	struct deliver_request request = {.destination = endpoint,
	    .content_type = "application/json",
	    .attempt = 1,
	    .now_ms = clock_wall_ms()};
	struct buf bytes;

	buf_init(&bytes, FILE_MAX_BYTES);
	if (read_file(path, &bytes)) {
		request.body = buf_text(&bytes);
		request.body_bytes = bytes.len;
		deliver_post(&request, result);
	} else {
		snprintf(result->error, sizeof result->error,
		    "cannot read the file: %s", strerror(errno));
	}
	buf_free(&bytes);
	return result->status == ENDPOINT_SUCCESS && result->error[0] == '\0';
}

/* Hides secrets, since an answer or error may repeat the URL. */
static void
add_shown(struct buf *line, const struct text_list *secrets, const char *bytes,
    size_t len)
{
	struct buf text;

	buf_init(&text, PRINT_MAX_BYTES);
	sender_add_hidden(&text, secrets, bytes, len);
	print_add_safe(line, buf_text(&text), text.len);
	buf_free(&text);
}

static void
print_text(const char *path, const struct deliver_result *result,
    const struct text_list *secrets)
{
	struct buf line;

	buf_init(&line, PRINT_MAX_BYTES);
	print_add_safe(&line, path, strlen(path));
	buf_add_text(&line, "  ");
	if (result->status != 0)
		buf_add_format(&line, "%d in %lld ms  ", result->status,
		    (long long)result->duration_ms);
	if (result->error[0] != '\0') {
		add_shown(&line, secrets, result->error, strlen(result->error));
		buf_add_text(&line, "  ");
	}
	add_shown(&line, secrets, result->answer, result->answer_bytes);
	puts(buf_text(&line));
	buf_free(&line);
	fflush(stdout);
}

static void
print_json(struct jsonout *out, const char *path,
    const struct deliver_result *result, const struct text_list *secrets)
{
	struct buf error, answer;

	buf_init(&error, PRINT_MAX_BYTES);
	buf_init(&answer, PRINT_MAX_BYTES);
	sender_add_hidden(
	    &error, secrets, result->error, strlen(result->error));
	sender_add_hidden(
	    &answer, secrets, result->answer, result->answer_bytes);
	jsonout_open(out, NULL, '{');
	jsonout_text(out, "file", path);
	jsonout_some(out, "status", result->status);
	jsonout_number(out, "duration_ms", result->duration_ms);
	jsonout_text(out, "error", error.len > 0 ? buf_text(&error) : NULL);
	jsonout_bytes(out, "answer", buf_text(&answer), answer.len);
	jsonout_close(out, '}');
	buf_free(&error);
	buf_free(&answer);
}

/* Sends the files one after the other. */
static int
send_files(const struct call *call, const struct target *target)
{
	bool is_json = call->values[OPTION_JSON] != NULL;
	struct jsonout out = {.needs_comma = false};
	int status = STATUS_FINE;
	char **file;

	if (is_json)
		jsonout_open(&out, NULL, '[');
	for (file = call->operands + 1; *file != NULL; file++) {
		struct deliver_result result = {.is_delivered = false};

		if (!post_file(&target->to, *file, &result))
			status = STATUS_WRONG;
		if (is_json)
			print_json(&out, *file, &result, &target->secrets);
		else
			print_text(*file, &result, &target->secrets);
	}
	if (is_json) {
		jsonout_close(&out, ']');
		jsonout_end(&out);
	}
	return status;
}

static int
run_send(struct call *call)
{
	struct target target;
	int status = target_read(
	    &target, call, call->operands[0], call->values[OPTION_CA_FILE]);

	signal(SIGPIPE, SIG_IGN);
	if (status == STATUS_FINE)
		status = send_files(call, &target);
	target_free(&target);
	return status;
}

const struct command command_send = {.name = "send",
    .operands = TARGET_OPERAND " FILE...",
    .operands_min = 2,
    .operands_max = -1,
    .options = send_options,
    .run = run_send,
    .summary = "post files to an endpoint, as the sender would"};
