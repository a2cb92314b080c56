/*
 * What of a URL may be shown. Its user name and password are secrets; so is
 * often its path, or its query (an incoming webhook of a chat, a key).
 */
#include "config.h"

#include "conf/conf.h"

#include <string.h>

#include "base/xalloc.h"
#include "conf/value.h"

#define SCHEME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Where `scheme://` ends. */
static size_t
scheme_len(const char *url)
{
	size_t len = strspn(url, SCHEME_LETTERS "0123456789+-.");

	return len > 0 && strncmp(url + len, "://", 3) == 0 ? len + 3 : 0;
}

/* In what is no URL, an @ may be anywhere, as in an unescaped password. */
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
