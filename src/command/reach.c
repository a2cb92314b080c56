/*
 * Checks whether URLs can be reached: see reach.h.
 */
#include "config.h"

#include "command/reach.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "command/print.h"

/* Time enough for a renewal by hand. */
#define EXPIRES_SOON_MS (INT64_C(14) * 24 * 3600 * 1000)

/* ---- looking ---- */

/* Tries all of this kind at once. */
static void
look_round(struct reach *reaches, size_t count, enum look_kind kind)
{
	struct deliver *deliver = deliver_new((int)count);
	struct deliver_result result;
	struct reach *reach;
	size_t i, flying = 0;

	for (i = 0; i < count; i++) {
		struct deliver_request request = {
		    .destination = &reaches[i].to, .look = &reaches[i].look};

		if (reaches[i].look.kind != kind)
			continue;
		deliver_start(deliver, &request, &reaches[i]);
		flying++;
	}
	while (flying > 0) {
		deliver_wait(deliver, NULL, 0, 1000);
		while ((reach = deliver_next(deliver, &result)) != NULL) {
			if (kind == LOOK_HANDSHAKE)
				reach->result = result;
			flying--;
		}
	}
	deliver_free(deliver);
}

static bool
is_refused_certificate(enum look_end end)
{
	return end == LOOK_SELF_SIGNED || end == LOOK_EXPIRED ||
	       end == LOOK_NOT_YET_VALID || end == LOOK_WRONG_NAME ||
	       end == LOOK_UNTRUSTED || end == LOOK_NO_ISSUER;
}

void
reach_all(struct reach *reaches, size_t count)
{
	enum look_end *ends = xcalloc(count, sizeof *ends);
	size_t i;

	for (i = 0; i < count; i++)
		reaches[i].look.kind = LOOK_HANDSHAKE;
	look_round(reaches, count, LOOK_HANDSHAKE);
	for (i = 0; i < count; i++) {
		ends[i] = reaches[i].look.end;
		if (is_refused_certificate(ends[i]))
			reaches[i].look.kind = LOOK_CHAIN;
	}
	look_round(reaches, count, LOOK_CHAIN);
	for (i = 0; i < count; i++)
		reaches[i].look.end = ends[i];
	free(ends);
}

/* ---- the sentences ---- */

bool
reach_is_https(const struct reach *reach)
{
	return strncasecmp(reach->to.url, "https:", 6) == 0;
}

bool
reach_expires_soon(const struct reach *reach)
{
	const struct look *look = &reach->look;

	return reach_is_https(reach) && look->chain_count > 0 &&
	       look->chain[0].expires_ms != 0 &&
	       look->chain[0].expires_ms - clock_wall_ms() < EXPIRES_SOON_MS;
}

char *
reach_host_dup(const char *url)
{
	const char *host = strstr(url, "://"), *at;
	size_t len;

	host = host != NULL ? host + 3 : url;
	len = strcspn(host, "/?#");
	for (at = host + len; at > host; at--)
		if (at[-1] == '@')
			break;
	len -= (size_t)(at - host);
	if (*at == '[')
		return xmemdup(at + 1, strcspn(at + 1, "]"));
	return xmemdup(at, strcspn(at, ":/?#"));
}

/* Returns the certificate that is invalid now; of several, the one nearest to
 * the server. */
static const struct look_certificate *
out_of_time(const struct look *look)
{
	int64_t now_ms = clock_wall_ms();
	size_t i;

	for (i = 0; i < look->chain_count; i++) {
		const struct look_certificate *c = &look->chain[i];

		if (c->starts_ms > now_ms ||
		    (c->expires_ms != 0 && c->expires_ms < now_ms))
			return c;
	}
	return NULL;
}

static void
add_out_of_time(struct buf *buf, const struct reach *reach)
{
	const struct look_certificate *c = out_of_time(&reach->look);
	bool is_expired = reach->look.end == LOOK_EXPIRED;

	if (c == NULL) {
		buf_add_format(buf, "%s", reach->result.error);
		return;
	}
	buf_add_format(buf, "the certificate of %s %s ", c->subject,
	    is_expired ? "expired on" : "is valid only from");
	print_add_time(buf, is_expired ? c->expires_ms : c->starts_ms);
}

/* Returns the certificate's names, or its subject if there are none. */
static const char *
names_of(const struct look *look)
{
	if (look->chain_count == 0)
		return "other names";
	return look->chain[0].names[0] != '\0' ? look->chain[0].names
					       : look->chain[0].subject;
}

static void
add_wrong_name(struct buf *buf, const struct reach *reach)
{
	char *host = reach_host_dup(reach->to.url);

	buf_add_format(buf, "the certificate is for %s, and not for %s",
	    names_of(&reach->look), host);
	free(host);
}

/* Returns whether the server sent more than its own certificate, each one
 * issued by the next. */
static bool
is_linked_chain(const struct look *look)
{
	size_t i;

	for (i = 0; i + 1 < look->chain_count; i++)
		if (strcmp(look->chain[i].issuer, look->chain[i + 1].subject) !=
		    0)
			return false;
	return look->chain_count > 1;
}

static void
add_no_issuer(struct buf *buf, const struct reach *reach)
{
	const struct look *look = &reach->look;
	const struct look_certificate *last;

	if (look->chain_count == 0) {
		buf_add_text(buf,
		    "the certificate is not trusted: its chain does not "
		    "end at an authority that is trusted here");
	} else if (is_linked_chain(look)) {
		last = &look->chain[look->chain_count - 1];
		buf_add_format(buf,
		    "the certificate is not trusted: its chain ends at %s, "
		    "which is not an authority that is trusted here",
		    last->issuer);
	} else {
		buf_add_format(buf,
		    "the chain is incomplete: the certificate was issued by "
		    "%s, and the server does not send the certificate of that "
		    "issuer",
		    look->chain[0].issuer);
	}
}

static void
add_untrusted(struct buf *buf, const struct reach *reach)
{
	const struct look *look = &reach->look;
	const struct look_certificate *last =
	    &look->chain[look->chain_count > 0 ? look->chain_count - 1 : 0];

	buf_add_format(buf,
	    "the certificate is not trusted: it was issued by %s, which is not "
	    "an authority that is trusted here",
	    look->chain_count > 0 ? last->issuer : "an authority of its own");
}

static void
add_self_signed(struct buf *buf, const struct reach *reach)
{
	const struct look *look = &reach->look;
	buf_add_text(buf, "the certificate is self-signed");
	if (look->chain_count > 0)
		buf_add_format(buf, " (%s)", look->chain[0].subject);
}

static void
add_unconnected(struct buf *buf, const struct reach *reach)
{
	const struct look *look = &reach->look;

	buf_add_text(buf, "no connection");
	if (look->address[0] != '\0')
		buf_add_format(buf, " to %s", look->address);
	if (look->is_late) {
		buf_add_text(buf, " within ");
		print_add_span(buf, reach->result.duration_ms);
	} else if (look->os_errno != 0) {
		buf_add_format(buf, ": %s", strerror(look->os_errno));
	} else {
		buf_add_format(buf, ": %s", reach->result.error);
	}
}

static void
add_tls_failed(struct buf *buf, const struct reach *reach)
{
	if (!reach->look.is_late) {
		buf_add_format(
		    buf, "the TLS handshake failed: %s", reach->result.error);
		return;
	}
	buf_add_format(buf,
	    "%s accepts the connection, but does not complete the TLS "
	    "handshake within ",
	    reach->look.address);
	print_add_span(buf, reach->result.duration_ms);
}

static void
add_fine(struct buf *buf, const struct reach *reach)
{
	const struct look *look = &reach->look;

	if (look->address[0] != '\0')
		buf_add_format(buf, "%s answers, ", look->address);
	if (!reach_is_https(reach)) {
		buf_add_text(buf, "http without TLS");
		return;
	}
	buf_add_text(buf, "the certificate is valid");
	if (look->chain_count > 0) {
		buf_add_text(buf, " until ");
		print_add_time(buf, look->chain[0].expires_ms);
	}
}

static void
add_private(struct buf *buf, const struct reach *reach)
{
	buf_add_format(buf, "%s is a private address, which the relay refuses",
	    reach->look.address);
}

static void
add_no_tls(struct buf *buf, const struct reach *reach)
{
	buf_add_format(
	    buf, "%s answers, but not with TLS", reach->look.address);
}

static void
add_old_tls(struct buf *buf, const struct reach *reach)
{
	buf_add_format(
	    buf, "%s offers no TLS version from 1.2 on", reach->look.address);
}

static void
add_error(struct buf *buf, const struct reach *reach)
{
	buf_add_text(buf, reach->result.error);
}

/* The report of each end: the sight; the remedy at an endpoint, whose server
 * the reader runs; the remedy at a destination, run by somebody else; the
 * remedy at the proxy, if the proxy is at fault (else NULL). */
static const struct {
	void (*add_seen)(struct buf *buf, const struct reach *reach);
	const char *ours;
	const char *theirs;
	const char *proxy;
} ends[] = {
    [LOOK_FINE] = {add_fine, NULL, NULL, NULL},
    [LOOK_UNRESOLVED] = {add_error,
	"add the name to the public DNS, or correct the URL",
	"correct the host in url, or add it to the DNS",
	"correct the host in proxy, or add it to the DNS"},
    [LOOK_PRIVATE] = {add_private,
	"give the sender a URL with a public address",
	"if the private address is intended, set allow_private = yes for this "
	"destination",
	NULL},
    [LOOK_UNCONNECTED] = {add_unconnected,
	"start the web server, and open its port in every firewall",
	"check that the destination runs, that url has the right port, and "
	"that no firewall blocks it",
	"check that the proxy runs, that proxy has the right port, and that no "
	"firewall blocks it"},
    [LOOK_NO_TUNNEL] = {add_error, NULL, NULL,
	"look into the log of the proxy; 407 means wrong user or password in "
	"proxy, 403 that the proxy forbids this destination"},
    [LOOK_NO_TLS] = {add_no_tls,
	"turn on TLS in the web server, or correct the port",
	"correct the port, or write http:// if TLS is not wanted", NULL},
    [LOOK_OLD_TLS] = {add_old_tls, "enable TLS 1.2 and 1.3 in the web server",
	"enable TLS 1.2 and 1.3 at the destination", NULL},
    [LOOK_SELF_SIGNED] = {add_self_signed,
	"install a certificate of a public authority: the sender does not "
	"accept a self-signed one",
	"store the certificate of the destination in a file, and set ca_file "
	"to that file",
	NULL},
    [LOOK_EXPIRED] = {add_out_of_time,
	"renew the certificate, and reload the web server",
	"ask the operator of the destination to renew the certificate", NULL},
    [LOOK_NOT_YET_VALID] = {add_out_of_time,
	"correct the clock of this machine, or get another certificate",
	"correct the clock of this machine, or ask the operator of the "
	"destination for another certificate",
	NULL},
    [LOOK_WRONG_NAME] = {add_wrong_name,
	"get a certificate for the name in the URL, or give the sender a URL "
	"with a name in the certificate",
	"correct the host in url, or ask the operator of the destination for a "
	"certificate with this name",
	NULL},
    [LOOK_UNTRUSTED] = {add_untrusted,
	"install a certificate of a public authority",
	"set ca_file to a file with the certificate of that authority", NULL},
    [LOOK_NO_ISSUER] = {add_no_issuer,
	"configure the web server to send the intermediate certificates of a "
	"public authority too (fullchain.pem)",
	"set ca_file to a file with the certificate of that issuer, or ask the "
	"operator of the destination to send the intermediate certificates",
	NULL},
    [LOOK_TLS_FAILED] = {add_tls_failed, "look into the web server's error log",
	"check ca_file, client_cert and client_key, and look into the log of "
	"the destination",
	NULL},
    [LOOK_BROKEN] = {add_error, "look into the web server's error log",
	"look into the log of the destination", NULL},
};

/* With a proxy, the connected address is the proxy's. */
static void
add_proxy(struct buf *buf, const char *proxy)
{
	char *shown;

	if (proxy == NULL)
		return;
	shown = config_url_shown_dup(proxy);
	buf_add_format(buf, "through the proxy %s: ", shown);
	free(shown);
}

void
reach_add_seen(struct buf *buf, const struct reach *reach)
{
	add_proxy(buf, reach->to.proxy);
	ends[reach->look.end].add_seen(buf, reach);
}

void
reach_add_advice(struct buf *buf, const struct reach *reach)
{
	const enum look_end end = reach->look.end;
	const char *text = reach->is_ours ? ends[end].ours : ends[end].theirs;

	if (reach->to.proxy != NULL && ends[end].proxy != NULL)
		text = ends[end].proxy;
	if (text != NULL)
		buf_add_text(buf, text);
}
