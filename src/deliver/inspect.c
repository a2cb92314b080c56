/*
 * Reads what libcurl saw of a connection: see look.h.
 */
#include "config.h"

#include "deliver/inspect.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <curl/curl.h>

/* Results of OpenSSL's verification (x509_vfy.h), as returned by libcurl. The
 * numbers are part of OpenSSL's interface. */
enum {
	VERIFY_FINE = 0,
	VERIFY_NOT_SAID = 1,
	VERIFY_NO_ISSUER = 2,
	VERIFY_NOT_YET_VALID = 9,
	VERIFY_EXPIRED = 10,
	VERIFY_SELF_SIGNED = 18,
	VERIFY_SELF_SIGNED_ABOVE = 19,
	VERIFY_NO_ISSUER_HERE = 20,
	VERIFY_NO_ISSUER_OF_FIRST = 21
};

bool
look_set_up(void *easy, const struct look *look)
{
	CURLcode codes[4] = {CURLE_OK, CURLE_OK, CURLE_OK, CURLE_OK};

	switch (look->kind) {
	case LOOK_CHAIN:
		codes[0] = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		codes[1] = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
		/* fallthrough */
	case LOOK_HANDSHAKE:
		codes[2] = curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
		codes[3] = curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
		break;
	case LOOK_GET:
		codes[0] = curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
		codes[1] = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
		break;
	case LOOK_POST:
		break;
	}
	return codes[0] == CURLE_OK && codes[1] == CURLE_OK &&
	       codes[2] == CURLE_OK && codes[3] == CURLE_OK;
}

void
look_note_address(
    struct look *look, const struct sockaddr *address, unsigned len)
{
	if (getnameinfo(address, (socklen_t)len, look->address,
		sizeof look->address, NULL, 0, NI_NUMERICHOST) != 0)
		look->address[0] = '\0';
}

/* ---- the certificates ---- */

static int64_t
date_ms(const char *text)
{
	time_t at = curl_getdate(text, NULL);

	return at == (time_t)-1 ? 0 : (int64_t)at * 1000;
}

/* Returns the value if the line is `label:value`, else NULL. */
static const char *
value_of(const char *line, const char *label)
{
	size_t len = strlen(label);

	return strncmp(line, label, len) == 0 && line[len] == ':'
		   ? line + len + 1
		   : NULL;
}

static void
read_line(const char *line, struct look_certificate *c)
{
	const char *value;

	if ((value = value_of(line, "Subject")) != NULL)
		snprintf(c->subject, sizeof c->subject, "%s", value);
	else if ((value = value_of(line, "Issuer")) != NULL)
		snprintf(c->issuer, sizeof c->issuer, "%s", value);
	else if ((value = value_of(line, "X509v3 Subject Alternative Name")) !=
		 NULL)
		snprintf(c->names, sizeof c->names, "%s", value);
	else if ((value = value_of(line, "Start date")) != NULL)
		c->starts_ms = date_ms(value);
	else if ((value = value_of(line, "Expire date")) != NULL)
		c->expires_ms = date_ms(value);
}

static void
take_chain(CURL *easy, struct look *look)
{
	const struct curl_certinfo *info = NULL;
	const struct curl_slist *line;
	int i;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK ||
	    info == NULL)
		return;
	for (i = 0; i < info->num_of_certs && i < LOOK_CHAIN_MAX; i++) {
		look->chain[i] = (struct look_certificate){.starts_ms = 0};
		for (line = info->certinfo[i]; line != NULL; line = line->next)
			read_line(line->data, &look->chain[i]);
		look->chain_count = (size_t)i + 1;
	}
}

/* ---- where the connection ended ---- */

/* Finds why a certificate was refused. Only OpenSSL's numbers are known. */
static enum look_end
refused_certificate(CURL *easy, const char *why)
{
	const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
	long result = 0;

	if (library == NULL || strstr(library, "OpenSSL") == NULL)
		return LOOK_TLS_FAILED;
	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
	switch (result) {
	case VERIFY_FINE: /* valid, so the name is wrong */
	case VERIFY_NOT_SAID:
		return strstr(why, " name") != NULL ? LOOK_WRONG_NAME
						    : LOOK_TLS_FAILED;
	case VERIFY_NOT_YET_VALID:
		return LOOK_NOT_YET_VALID;
	case VERIFY_EXPIRED:
		return LOOK_EXPIRED;
	case VERIFY_SELF_SIGNED:
		return LOOK_SELF_SIGNED;
	case VERIFY_SELF_SIGNED_ABOVE:
		return LOOK_UNTRUSTED;
	case VERIFY_NO_ISSUER:
	case VERIFY_NO_ISSUER_HERE:
	case VERIFY_NO_ISSUER_OF_FIRST:
		return LOOK_NO_ISSUER;
	default:
		return LOOK_TLS_FAILED;
	}
}

/* Finds why a handshake failed. OpenSSL's reasons are only texts. */
static enum look_end
failed_handshake(const char *why)
{
	if (strstr(why, "wrong version number") != NULL ||
	    strstr(why, "packet length too long") != NULL ||
	    strstr(why, "http request") != NULL)
		return LOOK_NO_TLS;
	if (strstr(why, "unsupported protocol") != NULL ||
	    strstr(why, "alert protocol version") != NULL)
		return LOOK_OLD_TLS;
	return LOOK_TLS_FAILED;
}

static bool
has_passed(CURL *easy, CURLINFO time)
{
	curl_off_t at_us = 0;

	return curl_easy_getinfo(easy, time, &at_us) == CURLE_OK && at_us > 0;
}

/* Returns the first stage that the connection did not reach. */
static enum look_end
first_missing(CURL *easy)
{
	long tunnel_status = 0; /* the proxy's answer to CONNECT */
	const char *url = NULL;
	long port = 0; /* local; libcurl reports the time of connecting only
			  after TLS */

	if (!has_passed(easy, CURLINFO_NAMELOOKUP_TIME_T))
		return LOOK_UNRESOLVED;
	curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
	if (port == 0)
		return LOOK_UNCONNECTED;
	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel_status);
	if (tunnel_status != 0 && tunnel_status / 100 != 2)
		return LOOK_NO_TUNNEL;
	curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	if (url != NULL && strncasecmp(url, "https:", 6) == 0 &&
	    !has_passed(easy, CURLINFO_APPCONNECT_TIME_T))
		return LOOK_TLS_FAILED;
	return LOOK_BROKEN;
}

static enum look_end
end_of(CURL *easy, int code, const char *why)
{
	switch (code) {
	case CURLE_OK:
		return LOOK_FINE;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
		return LOOK_UNRESOLVED;
	case CURLE_COULDNT_CONNECT:
		return LOOK_UNCONNECTED;
	case CURLE_PEER_FAILED_VERIFICATION:
		return refused_certificate(easy, why);
	case CURLE_SSL_CONNECT_ERROR:
		return failed_handshake(why);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
		return LOOK_TLS_FAILED;
	default:
		return first_missing(easy);
	}
}

void
look_take(
    void *easy, int code, bool is_private, const char *why, struct look *look)
{
	const char *redirect = NULL, *address = NULL;
	long os_errno = 0;

	look->end = end_of(easy, code, why);
	if (look->end == LOOK_UNCONNECTED && is_private)
		look->end = LOOK_PRIVATE;
	look->is_late = code == CURLE_OPERATION_TIMEDOUT;
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
	look->os_errno = (int)os_errno;
	curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
	if (address != NULL && *address != '\0')
		snprintf(look->address, sizeof look->address, "%s", address);
	curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &redirect);
	if (redirect != NULL)
		snprintf(look->redirect, sizeof look->redirect, "%s", redirect);
	take_chain(easy, look);
}
