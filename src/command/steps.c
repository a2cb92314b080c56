/*
 * Performs the steps of hookspool probe: see steps.h.
 */
#include "config.h"

#include "command/steps.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "base/xalloc.h"
#include "command/command.h"
#include "command/print.h"
#include "command/sender.h"
#include "deliver/guard.h"

#define SLOW_MS          5000
#define ANSWER_SHOWN_MAX 160 /* bytes */

/* One request of the sender, and its result. */
struct exchange {
	struct look look;
	struct deliver_result result;
};

/* ---- the meaning of an answer ---- */

/* Advice for a wrong status. */
static const struct {
	int status;
	const char *verification;
	const char *event;
} advice[] = {
    {200,
	"another page answers: configure the web server to pass this path to "
	"hookspool.fcgi",
	"something else answers: configure the web server to pass this path to "
	"hookspool.fcgi"},
    {400, "look into the endpoint's log", "look into the endpoint's log"},
    {401,
	"the web server asks for a password: turn that off for this path, or "
	"write user and password in the URL",
	NULL},
    {403,
	"compare the token with verify_token in the endpoint's configuration; "
	"or the web server turns this client away",
	"name one of the endpoint's communities with --community; or the web "
	"server turns this client away"},
    {404,
	"compare the last segment of the path with path_key in the endpoint's "
	"configuration; or the web server does not pass this path to "
	"hookspool.fcgi",
	NULL},
    {405, NULL, "configure the web server to pass the method POST"},
    {413, NULL, "raise the web server's limit for bodies"},
    {500, "look into the web server's error log", NULL},
    {502, "check that the endpoint runs, and look into the web server's log",
	NULL},
    {503,
	"the endpoint is not running, or cannot read its configuration, verify "
	"token or path key: run hookspool check on its machine",
	"the spool cannot store events: run hookspool check on its machine"},
    {504, "check that the endpoint runs, and look into the web server's log",
	NULL},
};

static const char *
advice_on(int status, bool is_event)
{
	size_t i;

	if (status / 100 == 3)
		return "give the sender the URL that the redirect points to: "
		       "the sender may not follow redirects";
	for (i = 0; i < sizeof advice / sizeof advice[0]; i++) {
		if (advice[i].status != status)
			continue;
		if (is_event && advice[i].event != NULL)
			return advice[i].event;
		if (advice[i].verification != NULL)
			return advice[i].verification;
	}
	return "look into the web server's error log and the endpoint's";
}

/* ---- requests ---- */

/* `body` NULL: a GET. */
static void
ask(struct probe *probe, const char *url, const char *body,
    struct exchange *exchange)
{
	struct destination_config to = probe->reach.to;
	struct deliver_request request = {.destination = &to,
	    .look = &exchange->look,
	    .content_type = "application/json",
	    .body = body,
	    .body_bytes = body != NULL ? strlen(body) : 0,
	    .attempt = 1,
	    .now_ms = clock_wall_ms()};

	*exchange = (struct exchange){
	    .look = {.kind = body != NULL ? LOOK_POST : LOOK_GET}};
	to.url = (char *)(uintptr_t)url; /* borrowed */
	deliver_post(&request, &exchange->result);
}

static void
add_answer(
    struct buf *buf, const struct probe *probe, const struct exchange *exchange)
{
	const struct deliver_result *result = &exchange->result;
	struct buf text;
	char *shown;

	if (exchange->look.redirect[0] != '\0') {
		shown = config_url_shown_dup(exchange->look.redirect);
		buf_add_format(buf, ", with a redirect to %s", shown);
		free(shown);
		return;
	}
	if (result->answer_bytes == 0) {
		buf_add_text(buf, ", with an empty answer");
		return;
	}
	buf_init(&text, WHY_MAX_BYTES);
	sender_add_hidden(
	    &text, probe->secrets, result->answer, result->answer_bytes);
	buf_add_text(buf, ", with an answer that begins: ");
	buf_add(
	    buf, buf_text(&text), strnlen(buf_text(&text), ANSWER_SHOWN_MAX));
	buf_free(&text);
}

/* Appends `403 in 12 ms`. */
static void
add_status(struct buf *buf, const struct deliver_result *result)
{
	buf_add_format(buf, "%d in %lld ms", result->status,
	    (long long)result->duration_ms);
}

/* Reports a wrong or missing answer. */
static void
report_bad_answer(struct probe *probe, const char *subject,
    const struct exchange *exchange, const char *fix)
{
	const struct deliver_result *result = &exchange->result;
	struct buf seen;

	buf_init(&seen, WHY_MAX_BYTES);
	if (result->status != 0 && !exchange->look.is_late) {
		add_status(&seen, result);
		add_answer(&seen, probe, exchange);
	} else if (exchange->look.is_late) {
		buf_add_text(&seen, "no complete answer within ");
		print_add_span(&seen, probe->reach.to.timeout_ms);
		fix = "look into the web server's log for what takes so long: "
		      "the sender gives up after that time";
	} else {
		buf_add_format(&seen, "no answer: %s", result->error);
		fix = "look into the web server's error log";
	}
	report_wrong(&probe->report, subject, buf_text(&seen), "%s", fix);
	buf_free(&seen);
}

/* Reports a right answer, and warns if it was slow. `more` follows the
 * status. */
static void
report_good_answer(struct probe *probe, const char *subject,
    const struct deliver_result *result, const char *more)
{
	struct buf seen;

	buf_init(&seen, WHY_MAX_BYTES);
	add_status(&seen, result);
	buf_add_text(&seen, more);
	if (result->duration_ms > SLOW_MS)
		report_warning(&probe->report, subject, buf_text(&seen), "%s",
		    "this is slow, and the sender gives up after 20 s: find "
		    "out what the web server or the disk is busy with");
	else
		report_fine(&probe->report, subject, "%s", buf_text(&seen));
	buf_free(&seen);
}

/* ---- the steps ---- */

bool
steps_url(struct probe *probe)
{
	char *shown = sender_url_shown_dup(probe->url);
	bool is_fine = reach_is_https(&probe->reach);

	if (is_fine)
		report_fine(&probe->report, "url", "%s", shown);
	else
		report_wrong(&probe->report, "url", shown, "%s",
		    "begin the URL with https://: the sender uses nothing "
		    "else");
	free(shown);
	return is_fine;
}

static void
report_address(struct probe *probe, const char *host)
{
	const char *address = probe->reach.look.address;
	char *seen = xasprintf("%s has the address %s", host, address);

	if (guard_is_private_text(address))
		report_warning(&probe->report, "name", seen, "%s",
		    "this address is private: make sure that the sender gets a "
		    "public one from the DNS, and probe from outside too");
	else
		report_fine(&probe->report, "name", "%s", seen);
	free(seen);
}

static void
report_certificate(struct probe *probe)
{
	const struct look *look = &probe->reach.look;
	struct buf seen;

	buf_init(&seen, WHY_MAX_BYTES);
	buf_add_text(&seen, "valid");
	if (look->chain_count > 0) {
		buf_add_text(&seen, " until ");
		print_add_time(&seen, look->chain[0].expires_ms);
		buf_add_format(&seen, ", issued by %s", look->chain[0].issuer);
	}
	if (reach_expires_soon(&probe->reach))
		report_warning(&probe->report, "certificate", buf_text(&seen),
		    "%s", "renew the certificate in time");
	else
		report_fine(
		    &probe->report, "certificate", "%s", buf_text(&seen));
	buf_free(&seen);
}

bool
steps_reach(struct probe *probe)
{
	enum look_end end;
	char *host = reach_host_dup(probe->url);
	struct buf seen, fix;

	buf_init(&seen, WHY_MAX_BYTES);
	buf_init(&fix, WHY_MAX_BYTES);
	reach_all(&probe->reach, 1);
	end = probe->reach.look.end;
	reach_add_seen(&seen, &probe->reach);
	reach_add_advice(&fix, &probe->reach);
	if (end != LOOK_UNRESOLVED)
		report_address(probe, host);
	if (end != LOOK_UNRESOLVED && end != LOOK_UNCONNECTED)
		report_fine(&probe->report, "connection", "open");
	if (end == LOOK_FINE)
		report_certificate(probe);
	else
		report_wrong(&probe->report,
		    end == LOOK_UNRESOLVED    ? "name"
		    : end == LOOK_UNCONNECTED ? "connection"
					      : "certificate",
		    buf_text(&seen), "%s", buf_text(&fix));
	buf_free(&seen);
	buf_free(&fix);
	free(host);
	return end == LOOK_FINE;
}

static void
verify(struct probe *probe, const char *challenge, const char *token,
    struct exchange *exchange)
{
	char *url = sender_verification_dup(probe->url, challenge, token);

	ask(probe, url, NULL, exchange);
	explicit_bzero(url, strlen(url));
	free(url);
}

bool
steps_challenge(struct probe *probe)
{
	char challenge[UUID_TEXT_SIZE];
	const size_t len = sizeof challenge - 1;
	struct exchange exchange;
	const struct deliver_result *result = &exchange.result;
	bool is_whole;

	uuid_make(clock_wall_ms(), challenge);
	verify(probe, challenge, probe->token, &exchange);
	is_whole = result->status == 200 && result->error[0] == '\0';
	if (is_whole && result->answer_bytes == len &&
	    memcmp(result->answer, challenge, len) == 0) {
		report_good_answer(
		    probe, "challenge", result, ", with the challenge");
		return true;
	}
	report_bad_answer(probe, "challenge", &exchange,
	    is_whole && memmem(result->answer, result->answer_bytes, challenge,
			    len) != NULL
		? "configure the web server to add nothing to the challenge"
		: advice_on(result->status, false));
	/* The endpoint itself refuses with these: the next steps still tell
	 * more. */
	return result->status == 403 || result->status == 503;
}

bool
steps_wrong_token(struct probe *probe)
{
	char challenge[UUID_TEXT_SIZE], token[UUID_TEXT_SIZE];
	struct exchange exchange;
	const struct deliver_result *result = &exchange.result;

	uuid_make(clock_wall_ms(), challenge);
	uuid_make(clock_wall_ms(), token);
	verify(probe, challenge, token, &exchange);
	if (result->status == 403)
		report_good_answer(probe, "wrong token", result, ", refused");
	else
		report_bad_answer(probe, "wrong token", &exchange,
		    result->status == 200
			? "anybody can verify: make sure that the web server "
			  "answers nothing in place of the endpoint, which "
			  "compares the token"
			: advice_on(result->status, false));
	return true;
}

/* Reads the id from `{"id":"..."}`; "" if the answer is not the endpoint's. */
static void
read_id(const struct deliver_result *result, char *id)
{
	static const char head[] = "{\"id\":\"", tail[] = "\"}";
	const size_t head_len = sizeof head - 1, id_len = UUID_TEXT_SIZE - 1;

	*id = '\0';
	if (result->answer_bytes < head_len + id_len + sizeof tail - 1 ||
	    memcmp(result->answer, head, head_len) != 0 ||
	    memcmp(result->answer + head_len + id_len, tail, sizeof tail - 1) !=
		0)
		return;
	memcpy(id, result->answer + head_len, id_len);
	id[id_len] = '\0';
}

bool
steps_event(struct probe *probe)
{
	char *body = sender_event_dup(probe->community), *more;
	char id[UUID_TEXT_SIZE] = "";
	struct exchange exchange;

	ask(probe, probe->url, body, &exchange);
	free(body);
	if (exchange.result.status == 200 && exchange.result.error[0] == '\0')
		read_id(&exchange.result, id);
	if (id[0] == '\0') {
		report_bad_answer(probe, "event", &exchange,
		    advice_on(exchange.result.status, true));
		return false;
	}
	more = xasprintf(", captured as %s", id);
	report_good_answer(probe, "event", &exchange.result, more);
	free(more);
	return true;
}
