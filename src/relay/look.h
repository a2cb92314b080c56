/*
 * A look at where a URL leads, in place of a delivery: how far the connection
 * comes, and what certificate is shown there. deliver.c makes the connection
 * under the very rules of a delivery; this file asks libcurl what it saw.
 * What to say of it is the caller's.
 */
#ifndef HOOKSPOOL_LOOK_H
#define HOOKSPOOL_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

#define LOOK_ADDRESS_SIZE  64
#define LOOK_REDIRECT_SIZE 512
#define LOOK_CHAIN_MAX     8

enum look_kind {
	LOOK_HANDSHAKE, /* connects, TLS where the URL is https; no request */
	LOOK_CHAIN,     /* the same, and takes any certificate: to learn what
			   is wrong with one that was refused */
	LOOK_GET,       /* a GET as the sender makes it */
	LOOK_POST       /* the POST that the request says */
};

/* Where it ended. */
enum look_end {
	LOOK_FINE,
	LOOK_UNRESOLVED,    /* the name has no address */
	LOOK_PRIVATE,       /* the address may not be connected to */
	LOOK_UNCONNECTED,   /* nobody took the connection */
	LOOK_NO_TUNNEL,     /* the proxy did not open a way */
	LOOK_NO_TLS,        /* who took it does not speak TLS */
	LOOK_OLD_TLS,       /* only versions that are not safe any more */
	LOOK_SELF_SIGNED,   /* the certificate vouches for itself */
	LOOK_EXPIRED,       /* it, or one above it; likewise below */
	LOOK_NOT_YET_VALID, /* it begins later */
	LOOK_WRONG_NAME,    /* it is for other names */
	LOOK_UNTRUSTED,     /* the authority above it is not known here */
	LOOK_NO_ISSUER,     /* from it, no way leads to an authority that is
			       known here */
	LOOK_TLS_FAILED,    /* some other reason, see the result's error */
	LOOK_BROKEN         /* after all that: no answer, or half of one */
};

struct look_certificate {
	char subject[256];
	char issuer[256];
	char names[512];   /* `DNS:www.example.com, ...`; "": none */
	int64_t starts_ms; /* wall clock; 0: unknown; likewise below */
	int64_t expires_ms;
};

/* Filled in when the attempt ends, but for `kind`. */
struct look {
	enum look_kind kind;
	enum look_end end;
	bool is_late;                      /* it ended as the time was up */
	int os_errno;                      /* of connecting; 0: none */
	char address[LOOK_ADDRESS_SIZE];   /* connected to, else tried
					      last; "": none */
	char redirect[LOOK_REDIRECT_SIZE]; /* to where; "": not */
	struct look_certificate chain[LOOK_CHAIN_MAX]; /* as it was sent, the
							  server's first */
	size_t chain_count;
};

/* ---- for deliver.c; `easy` is a CURL * ---- */

/* Sets what the kind of look asks for, after all other options. */
bool look_set_up(void *easy, const struct look *look);

/* Notes an address that is about to be connected to, or refused. */
void look_note_address(
    struct look *look, const struct sockaddr *address, unsigned len);

/* Takes what is to be known of an attempt that ended with `code`, a CURLcode.
 * `is_private`: it failed since the guard refused what there was to
 * connect to; `why`: the error. */
void look_take(
    void *easy, int code, bool is_private, const char *why, struct look *look);

#endif
