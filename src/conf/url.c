/*
 * Decides which parts of a URL may be shown. User name and password are
 * secrets; path and query often are too (a chat's incoming webhook, a key).
 */
#include "config.h"

#include "conf/conf.h"

#include <string.h>

#include "base/xalloc.h"
#include "conf/value.h"

#define SCHEME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Returns the length of `scheme://`, or 0. */
static size_t
scheme_len(const char *url)
{
	size_t len = strspn(url, SCHEME_LETTERS "0123456789+-.");

	return len > 0 && strncmp(url + len, "://", 3) == 0 ? len + 3 : 0;
}

/* Skips user name and password. In text that is no valid URL, an @ may be
 * anywhere, for instance after an unescaped password. */
static const char *
skip_user(const char *rest, bool is_url)
{
	size_t len = is_url ? strcspn(rest, "/?#") : strlen(rest);
	const char *at = memrchr(rest, '@', len);

	return at != NULL ? at + 1 : rest;
}

char *
config_url_shown_dup(const char *url)
{
	size_t scheme = scheme_len(url);
	const char *host =
	    skip_user(url + scheme, value_check_url(url) == NULL);
	size_t len = strcspn(host, "/?#");
	bool is_all = host[len] == '\0' || strcmp(host + len, "/") == 0;

	return xasprintf("%.*s%.*s%s", (int)scheme, url, (int)len, host,
	    is_all ? host + len : "/...");
}
