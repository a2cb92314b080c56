/*
 * Looks where a URL leads, instead of delivering: how far the connection gets,
 * and the certificate shown. deliver.c connects by the rules of a delivery;
 * this file asks libcurl what it saw. The caller words the result.
 */
#ifndef HOOKSPOOL_INSPECT_H
#define HOOKSPOOL_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

#define LOOK_ADDRESS_SIZE  64
#define LOOK_REDIRECT_SIZE 512
#define LOOK_CHAIN_MAX     8

enum look_kind {
	LOOK_HANDSHAKE, /* connect, with TLS if https; no request */
	LOOK_CHAIN,     /* the same, accepting any certificate: to examine a
			   refused one */
	LOOK_GET,       /* a GET as from the sender */
	LOOK_POST       /* the POST of the request */
};

/* Where the connection ended. */
enum look_end {
	LOOK_FINE,
	LOOK_UNRESOLVED,    /* the name has no address */
	LOOK_PRIVATE,       /* the address must not be connected to */
	LOOK_UNCONNECTED,   /* nobody accepted the connection */
	LOOK_NO_TUNNEL,     /* the proxy did not connect */
	LOOK_NO_TLS,        /* the server does not speak TLS */
	LOOK_OLD_TLS,       /* only versions that are no longer safe */
	LOOK_SELF_SIGNED,   /* the certificate is its own issuer */
	LOOK_EXPIRED,       /* the certificate or one above; also below */
	LOOK_NOT_YET_VALID, /* valid only later */
	LOOK_WRONG_NAME,    /* for other names */
	LOOK_UNTRUSTED,     /* the authority above is unknown here */
	LOOK_NO_ISSUER,     /* no chain to an authority known here */
	LOOK_TLS_FAILED,    /* another reason, in the result's error */
	LOOK_BROKEN         /* connected, but no answer, or part of one */
};

struct look_certificate {
	char subject[256];
	char issuer[256];
	char names[512];   /* `DNS:www.example.com, ...`; "": none */
	int64_t starts_ms; /* wall clock; 0: unknown; also below */
	int64_t expires_ms;
};

/* Filled in at the end of the attempt, except `kind`. */
struct look {
	enum look_kind kind;
	enum look_end end;
	bool is_late;                      /* the time was up */
	int os_errno;                      /* of connecting; 0: none */
	char address[LOOK_ADDRESS_SIZE];   /* connected to, else tried last;
					      "": none */
	char redirect[LOOK_REDIRECT_SIZE]; /* its URL; "": no redirect */
	struct look_certificate
	    chain[LOOK_CHAIN_MAX]; /* in the server's order, its own first */
	size_t chain_count;
};

/* ---- for deliver.c; `easy` is a CURL * ---- */

/* Sets the options for the kind of look, after all other options. */
bool look_set_up(void *easy, const struct look *look);

/* Records an address about to be connected to, or refused. */
void look_note_address(
    struct look *look, const struct sockaddr *address, unsigned len);

/* Takes the results of an attempt that ended with `code`, a CURLcode.
 * `is_private`: the guard refused every address. `why`: the error. */
void look_take(
    void *easy, int code, bool is_private, const char *why, struct look *look);

#endif
