/*
 * The guarded exit: see egress.h.
 */
#include "config.h"

#include "deliver/egress.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "conf/conf.h"
#include "deliver/descriptors.h"
#include "deliver/inspect.h"

#define CONNECT_TIMEOUT_MS 10000
#define CA_KEPT_S          60 /* seconds until a changed ca_file counts */

/* A handle being set up. */
struct setup {
	CURL *easy;
	const struct destination_config *to;
	bool is_fine;
};

#define SET(setup, option, value)                                              \
	do {                                                                   \
		if (curl_easy_setopt((setup)->easy, (option), (value)) !=      \
		    CURLE_OK)                                                  \
			(setup)->is_fine = false;                              \
	} while (0)

/* ---- callbacks of libcurl ---- */

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct egress *egress = arg;
	int fd;

	(void)purpose;
	if (egress->look != NULL)
		look_note_address(
		    egress->look, &address->addr, address->addrlen);
	if (!guard_lets_try(&egress->guard, &address->addr))
		return CURL_SOCKET_BAD;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
	if (fd >= 0)
		egress->has_socket = true;
	else
		egress->os_error = errno;
	return fd;
}

/* Checks a reused connection, perhaps opened for another destination that
 * allows private addresses. */
static int
check_connection(
    void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct egress *egress = arg;

	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	return guard_lets_use(&egress->guard, remote_ip)
		   ? CURL_PREREQFUNC_OK
		   : CURL_PREREQFUNC_ABORT;
}

/* ---- the rules ---- */

/* Sets the route. The guard cannot see addresses behind a proxy, and does not
 * check the proxy, which the configuration names and which may be private. An
 * empty NOPROXY overrides no_proxy of the environment. */
static void
set_way(struct setup *setup, struct egress *egress)
{
	const struct destination_config *to = setup->to;

	egress->guard.is_on = !to->allow_private && to->proxy == NULL;
	SET(setup, CURLOPT_URL, to->url);
	SET(setup, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(setup, CURLOPT_FOLLOWLOCATION, 0L);
	SET(setup, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(setup, CURLOPT_PROXY, to->proxy != NULL ? to->proxy : "");
	SET(setup, CURLOPT_NOPROXY, "");
	SET(setup, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(setup, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(setup, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(setup, CURLOPT_OPENSOCKETDATA, egress);
	SET(setup, CURLOPT_PREREQFUNCTION, check_connection);
	SET(setup, CURLOPT_PREREQDATA, egress);
}

static void
set_pem(struct setup *setup, CURLoption option, char *pem)
{
	struct curl_blob blob = {
	    .data = pem, .len = strlen(pem), .flags = CURL_BLOB_NOCOPY};

	SET(setup, option, &blob);
}

static void
set_trust(struct setup *setup)
{
	const char *ca_file = setup->to->ca_file;

	SET(setup, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(setup, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(setup, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(setup, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	SET(setup, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (setup->to->ca_pem != NULL) {
		set_pem(setup, CURLOPT_CAINFO_BLOB, setup->to->ca_pem);
		set_pem(setup, CURLOPT_PROXY_CAINFO_BLOB, setup->to->ca_pem);
		SET(setup, CURLOPT_CAPATH, NULL);
		SET(setup, CURLOPT_PROXY_CAPATH, NULL);
	} else if (ca_file != NULL) { /* and no other CA */
		SET(setup, CURLOPT_CAINFO, ca_file);
		SET(setup, CURLOPT_CAPATH, NULL);
		SET(setup, CURLOPT_PROXY_CAINFO, ca_file);
		SET(setup, CURLOPT_PROXY_CAPATH, NULL);
	}
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(setup, CURLOPT_CA_CACHE_TIMEOUT, (long)CA_KEPT_S);
#endif
}

/* Sets the client certificate. The empty passphrase avoids a prompt. */
static void
set_client(struct setup *setup)
{
	if (setup->to->client_cert_pem == NULL)
		return;
	set_pem(setup, CURLOPT_SSLCERT_BLOB, setup->to->client_cert_pem);
	set_pem(setup, CURLOPT_SSLKEY_BLOB, setup->to->client_key_pem);
	SET(setup, CURLOPT_KEYPASSWD, "");
}

static void
set_times(struct setup *setup)
{
	long timeout_ms = (long)setup->to->timeout_ms;

	SET(setup, CURLOPT_NOSIGNAL, 1L);
	SET(setup, CURLOPT_TIMEOUT_MS, timeout_ms);
	SET(setup, CURLOPT_CONNECTTIMEOUT_MS,
	    timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Do not wait for the resolver thread of an ended attempt: a name
	 * server that hangs must not stop the loop. */
	SET(setup, CURLOPT_QUICK_EXIT, 1L);
#endif
}

bool
egress_set(struct egress *egress, void *easy,
    const struct destination_config *destination)
{
	struct setup setup = {.easy = easy, .to = destination, .is_fine = true};

	set_way(&setup, egress);
	set_trust(&setup);
	set_client(&setup);
	set_times(&setup);
	return setup.is_fine;
}

/* ---- faults of this machine ---- */

#define NO_DESCRIPTOR                                                          \
	"no descriptor is left: raise the limit of open files "                \
	"(LimitNOFILE= of the service, ulimit -n), or lower `concurrency`"
#define NO_MEMORY "no memory is left for an attempt"
#define NOT_READY "the attempt cannot be prepared"

static const char *
missing_resource(int os_error)
{
	switch (os_error) {
	case EMFILE:
	case ENFILE:
		return NO_DESCRIPTOR;
	case ENOMEM:
	case ENOBUFS:
		return NO_MEMORY;
	default:
		return NULL;
	}
}

/* A missing descriptor shows in many ways: a name that does not resolve, an
 * authority that is not found. */
static const struct {
	int code;
	bool may_lack_descriptors;
	const char *fault; /* otherwise; NULL: not a fault of this machine */
} faults[] = {
    {CURLE_SSL_CACERT_BADFILE, true,
	"the trusted certificates cannot be read; check ca_file, or the "
	"system's certificates"},
    {CURLE_SSL_CERTPROBLEM, true,
	"the client certificate cannot be used; check client_cert and "
	"client_key"},
    {CURLE_COULDNT_RESOLVE_HOST, true, NULL},
    {CURLE_COULDNT_RESOLVE_PROXY, true, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, true, NULL},
    {CURLE_SSL_CONNECT_ERROR, true, NULL},
    {CURLE_OUT_OF_MEMORY, true, NO_MEMORY},
    {CURLE_FAILED_INIT, false, NOT_READY},
    {CURLE_NOT_BUILT_IN, false, NOT_READY},
    {CURLE_BAD_FUNCTION_ARGUMENT, false, NOT_READY}};

const char *
egress_fault(const struct egress *egress, int code)
{
	size_t i;

	if (code == CURLE_COULDNT_CONNECT && !egress->has_socket)
		return missing_resource(egress->os_error);
	for (i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		if (faults[i].code != code)
			continue;
		if (faults[i].may_lack_descriptors && descriptors_are_short())
			return NO_DESCRIPTOR;
		return faults[i].fault;
	}
	return NULL;
}
