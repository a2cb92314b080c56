/*
 * The keys: see keys.h. A new key is a row here, a field in conf.h and words in
 * hookspool.conf(5). A new type is a function in `types`.
 */
#include "config.h"

#include "conf/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/conf.h"
#include "conf/near.h"
#include "conf/texts.h"
#include "conf/value.h"

const char *const section_names[SECTION_COUNT] = {
    [SECTION_ENDPOINT] = "endpoint",
    [SECTION_SPOOL] = "spool",
    [SECTION_RELAY] = "relay",
    [SECTION_LOG] = "log",
    [SECTION_DESTINATION] = "destination",
};

#define K      INT64_C(1024)
#define M      (1024 * K)
#define G      (1024 * M)
#define SECOND INT64_C(1000)
#define DAY    (86400 * SECOND)

#define AT(struct_, field_) offsetof(struct struct_, field_)
#define ENDPOINT(field_)    AT(endpoint_config, field_)
#define SPOOL(field_)       AT(spool_config, field_)
#define RELAY(field_)       AT(relay_config, field_)
#define DEST(field_)        AT(destination_config, field_)

/* clang-format off */
const struct key keys[] = {
	{SECTION_ENDPOINT, "verify_token", KEY_TOKENS,
	    ENDPOINT(verify_tokens), NULL, 0, 0, false},
	{SECTION_ENDPOINT, "verify_token_file", KEY_PATH,
	    ENDPOINT(verify_token_file), NULL, 0, 0, false},
	{SECTION_ENDPOINT, "path_key", KEY_PATH_KEYS,
	    ENDPOINT(path_keys), NULL, 0, 0, false},
	{SECTION_ENDPOINT, "path_key_file", KEY_PATH,
	    ENDPOINT(path_key_file), NULL, 0, 0, false},
	{SECTION_ENDPOINT, "community", KEY_LIST,
	    ENDPOINT(communities), NULL, 0, 0, false},
	{SECTION_ENDPOINT, "max_body", KEY_LENGTH,
	    ENDPOINT(max_body_bytes), "1M", K, 64 * M, false},
	{SECTION_ENDPOINT, "threads", KEY_NUMBER,
	    ENDPOINT(threads), "32", 1, 256, false},
	{SECTION_ENDPOINT, "body_timeout", KEY_DURATION,
	    ENDPOINT(body_timeout_ms), "10s", SECOND, 18 * SECOND, false},
	{SECTION_ENDPOINT, "capture_timeout", KEY_DURATION,
	    ENDPOINT(capture_timeout_ms), "8s", SECOND, 18 * SECOND, false},

	{SECTION_SPOOL, "path", KEY_PATH,
	    SPOOL(path), CONFIG_DEFAULT_SPOOL, 0, 0, false},
	{SECTION_SPOOL, "min_free", KEY_SIZE,
	    SPOOL(min_free_bytes), "64M", K, 1024 * G, true},
	{SECTION_SPOOL, "max_size", KEY_SIZE,
	    SPOOL(max_size_bytes), "0", K, 1024 * G, true},
	{SECTION_SPOOL, "retain", KEY_DURATION,
	    SPOOL(retain_ms), "30d", SECOND, 3650 * DAY, true},
	{SECTION_SPOOL, "retain_dead", KEY_DURATION,
	    SPOOL(retain_dead_ms), "90d", SECOND, 3650 * DAY, true},
	{SECTION_SPOOL, "retain_refused", KEY_DURATION,
	    SPOOL(retain_refused_ms), "7d", SECOND, 3650 * DAY, true},

	{SECTION_RELAY, "start", KEY_START,
	    RELAY(is_on_demand), "on-demand", 0, 0, false},
	{SECTION_RELAY, "idle_exit", KEY_DURATION,
	    RELAY(idle_exit_ms), "60s", SECOND, DAY, false},
	{SECTION_RELAY, "program", KEY_PATH,
	    RELAY(program), CONFIG_DEFAULT_RELAY, 0, 0, false},

	{SECTION_LOG, "to", KEY_LOG_TO, 0, "auto", 0, 0, false},
	{SECTION_LOG, "format", KEY_LOG_FORMAT,
	    AT(log_config, format), "text", 0, 0, false},
	{SECTION_LOG, "level", KEY_LOG_LEVEL,
	    AT(log_config, level), "info", 0, 0, false},

	{SECTION_DESTINATION, "url", KEY_URL,
	    DEST(url), NULL, 0, 0, false},
	{SECTION_DESTINATION, "events", KEY_LIST,
	    DEST(events), "*", 0, 0, false},
	{SECTION_DESTINATION, "community", KEY_LIST,
	    DEST(communities), "*", 0, 0, false},
	{SECTION_DESTINATION, "header", KEY_HEADER,
	    DEST(headers), NULL, 0, 0, false},
	{SECTION_DESTINATION, "secret", KEY_SECRETS,
	    DEST(secrets), NULL, 0, 0, false},
	{SECTION_DESTINATION, "secret_file", KEY_PATH,
	    DEST(secret_file), NULL, 0, 0, false},
	{SECTION_DESTINATION, "timeout", KEY_DURATION,
	    DEST(timeout_ms), "15s", SECOND, 600 * SECOND, false},
	{SECTION_DESTINATION, "concurrency", KEY_NUMBER,
	    DEST(concurrency), "8", 1, 64, false},
	{SECTION_DESTINATION, "order", KEY_ORDER,
	    DEST(order), "ticket", 0, 0, false},
	{SECTION_DESTINATION, "retry_for", KEY_DURATION,
	    DEST(retry_for_ms), "72h", SECOND, 365 * DAY, false},
	{SECTION_DESTINATION, "ca_file", KEY_PATH,
	    DEST(ca_file), NULL, 0, 0, false},
	{SECTION_DESTINATION, "client_cert", KEY_PATH,
	    DEST(client_cert), NULL, 0, 0, false},
	{SECTION_DESTINATION, "client_key", KEY_PATH,
	    DEST(client_key), NULL, 0, 0, false},
	{SECTION_DESTINATION, "proxy", KEY_PROXY,
	    DEST(proxy), NULL, 0, 0, false},
	{SECTION_DESTINATION, "allow_private", KEY_YES_NO,
	    DEST(allow_private), "no", 0, 0, false},
};
/* clang-format on */

const size_t key_count = sizeof keys / sizeof keys[0];
_Static_assert(sizeof keys / sizeof keys[0] <= KEYS_MAX, "raise KEYS_MAX");

/* ---- the types: read `value` into `field`; return NULL or why not ---- */

static const char *
set_scaled(const struct key *key, const char *value, enum value_unit unit,
    int64_t *number)
{
	const char *why = value_read_number(value, unit, number);

	if (why != NULL)
		return why;
	if (*number == 0 && key->may_be_zero)
		return NULL;
	if (*number < key->min)
		return "is too small";
	return *number > key->max ? "is too large" : NULL;
}

static const char *
set_size(const struct key *key, const char *value, void *field)
{
	return set_scaled(key, value, VALUE_SIZE, field);
}

static const char *
set_length(const struct key *key, const char *value, void *field)
{
	int64_t number = 0;
	const char *why = set_scaled(key, value, VALUE_SIZE, &number);

	*(size_t *)field = (size_t)number;
	return why;
}

static const char *
set_duration(const struct key *key, const char *value, void *field)
{
	return set_scaled(key, value, VALUE_DURATION, field);
}

static const char *
set_number(const struct key *key, const char *value, void *field)
{
	int64_t number = 0;
	const char *why = set_scaled(key, value, VALUE_PLAIN, &number);

	if (why == NULL)
		*(int *)field = (int)number;
	return why;
}

static const char unknown[] = "is not known";

/* Returns the number of the word in the list, or -1. */
static int
find_word(const char *const *words, const char *value)
{
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return -1;
}

static const char *
set_bool(const char *const *words, const char *value, void *field)
{
	int found = find_word(words, value);

	*(bool *)field = found == 1;
	return found < 0 ? unknown : NULL;
}

static const char *
set_yes_no(const struct key *key, const char *value, void *field)
{
	(void)key;
	return set_bool((const char *const[]){"no", "yes", NULL}, value, field);
}

static const char *
set_start(const struct key *key, const char *value, void *field)
{
	(void)key;
	return set_bool(
	    (const char *const[]){"never", "on-demand", NULL}, value, field);
}

static const char *
set_order(const struct key *key, const char *value, void *field)
{
	static const char *const words[] = {
	    [DESTINATION_ORDER_TICKET] = "ticket",
	    [DESTINATION_ORDER_NONE] = "none",
	    NULL};
	int found = find_word(words, value);

	(void)key;
	if (found < 0)
		return unknown;
	*(enum destination_order *)field = (enum destination_order)found;
	return NULL;
}

static const char *
set_log_format(const struct key *key, const char *value, void *field)
{
	static const char *const words[] = {
	    [LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json", NULL};
	int found = find_word(words, value);

	(void)key;
	if (found < 0)
		return unknown;
	*(enum log_format *)field = (enum log_format)found;
	return NULL;
}

static const char *
set_log_level(const struct key *key, const char *value, void *field)
{
	static const char *const words[] = {[LOG_LEVEL_ERROR] = "error",
	    [LOG_LEVEL_WARN] = "warn",
	    [LOG_LEVEL_NOTICE] = "notice",
	    [LOG_LEVEL_INFO] = "info",
	    NULL};
	int found = find_word(words, value);

	(void)key;
	if (found < 0)
		return unknown;
	*(enum log_level *)field = (enum log_level)found;
	return NULL;
}

static const char *
set_path(const struct key *key, const char *value, void *field)
{
	char **path = field;

	(void)key;
	if (*value != '/')
		return "does not begin with /";
	free(*path);
	*path = xstrdup(value);
	return NULL;
}

static const char *
set_log_to(const struct key *key, const char *value, void *field)
{
	static const char *const words[] = {[LOG_TARGET_AUTO] = "auto",
	    [LOG_TARGET_STDERR] = "stderr",
	    [LOG_TARGET_SYSLOG] = "syslog",
	    NULL};
	struct log_config *log = field;
	int found = find_word(words, value);

	if (found >= 0) {
		log->target = (enum log_target)found;
		return NULL;
	}
	log->target = LOG_TARGET_FILE;
	return set_path(key, value, &log->path) != NULL ? unknown : NULL;
}

static const char *
set_checked(char **field, const char *value, const char *(*check)(const char *))
{
	const char *why = check(value);

	if (why != NULL)
		return why;
	free(*field);
	*field = xstrdup(value);
	return NULL;
}

static const char *
set_url(const struct key *key, const char *value, void *field)
{
	(void)key;
	return set_checked(field, value, value_check_url);
}

static const char *
set_proxy(const struct key *key, const char *value, void *field)
{
	(void)key;
	return set_checked(field, value, value_check_proxy);
}

static const char *
set_list(const struct key *key, const char *value, void *field)
{
	(void)key;
	return text_list_split(field, value, NULL);
}

static const char *
set_tokens(const struct key *key, const char *value, void *field)
{
	(void)key;
	return text_list_split(field, value, value_check_token);
}

static const char *
set_path_keys(const struct key *key, const char *value, void *field)
{
	(void)key;
	return text_list_split(field, value, value_check_path_key);
}

static const char *
set_secrets(const struct key *key, const char *value, void *field)
{
	(void)key;
	return text_list_split(field, value, value_check_secret);
}

static const char *
set_header(const struct key *key, const char *value, void *field)
{
	const char *why = value_check_header(value);

	(void)key;
	if (why == NULL)
		text_list_add(field, value, strlen(value));
	return why;
}

/* How much of a value an error shows. */
enum showing { SHOW, SHOW_URL, HIDE };

static const struct {
	const char *(*set)(const struct key *, const char *, void *);
	const char *wanted;   /* follows "write" */
	enum value_unit unit; /* of the bounds, if any */
	bool is_repeatable;
	enum showing showing;
} types[] = {
    [KEY_SIZE] = {set_size, "a size", VALUE_SIZE, false, SHOW},
    [KEY_LENGTH] = {set_length, "a size", VALUE_SIZE, false, SHOW},
    [KEY_DURATION] = {set_duration, "a duration", VALUE_DURATION, false, SHOW},
    [KEY_NUMBER] = {set_number, "a number", VALUE_PLAIN, false, SHOW},
    [KEY_YES_NO] = {set_yes_no, "yes or no", 0, false, SHOW},
    [KEY_PATH] = {set_path, "an absolute path", 0, false, SHOW},
    [KEY_URL] = {set_url, "an http or https URL", 0, false, SHOW_URL},
    [KEY_PROXY] = {set_proxy, "http://HOST:PORT or https://HOST:PORT", 0, false,
	SHOW_URL},
    [KEY_LIST] = {set_list, "values separated by commas", 0, true, SHOW},
    [KEY_TOKENS] = {set_tokens, "tokens separated by commas", 0, true, HIDE},
    [KEY_PATH_KEYS] = {set_path_keys, "keys separated by commas", 0, true,
	HIDE},
    [KEY_SECRETS] = {set_secrets,
	"whsec_ and 24 to 64 bytes in base64; several are separated by commas",
	0, true, HIDE},
    [KEY_HEADER] = {set_header, "Name: value", 0, true, HIDE},
    [KEY_START] = {set_start, "on-demand or never", 0, false, SHOW},
    [KEY_LOG_TO] = {set_log_to,
	"auto, stderr, syslog or the absolute path "
	"of a file",
	0, false, SHOW},
    [KEY_LOG_FORMAT] = {set_log_format, "text or json", 0, false, SHOW},
    [KEY_LOG_LEVEL] = {set_log_level, "error, warn, notice or info", 0, false,
	SHOW},
    [KEY_ORDER] = {set_order, "ticket or none", 0, false, SHOW},
};

/* ---- the functions for other files ---- */

const struct key *
key_find(enum section section, const char *name)
{
	size_t i;

	for (i = 0; i < key_count; i++)
		if (keys[i].section == section &&
		    strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

bool
key_is_repeatable(const struct key *key)
{
	return types[key->type].is_repeatable;
}

static void
add_wanted(const struct key *key, struct buf *why)
{
	enum value_unit unit = types[key->type].unit;

	buf_add_text(why, types[key->type].wanted);
	if (key->max == 0)
		return;
	buf_add_text(why, " from ");
	value_add_number(why, unit, key->min);
	buf_add_text(why, " to ");
	value_add_number(why, unit, key->max);
	if (key->may_be_zero)
		buf_add_text(why, ", or 0");
}

/* Says what to write instead, unless `problem` does. */
static void
add_advice(const struct key *key, const char *value, const char *problem,
    struct buf *why)
{
	if (strchr(problem, ';') != NULL)
		return;
	buf_add_text(why, "; write ");
	if (problem == value_no_unit)
		value_add_with_units(why, types[key->type].unit, value);
	else
		add_wanted(key, why);
}

static void
add_value(const struct key *key, const char *value, struct buf *why)
{
	char *shown;

	switch (types[key->type].showing) {
	case SHOW:
		value_quote(why, value);
		break;
	case SHOW_URL:
		shown = config_url_shown_dup(value);
		value_quote(why, shown);
		free(shown);
		break;
	case HIDE:
		buf_add_text(why, "the value (not shown)");
		break;
	}
}

bool
key_set(const struct key *key, const char *value, void *fields, struct buf *why)
{
	char *field = (char *)fields + key->offset;
	const char *problem = types[key->type].set(key, value, field);

	if (problem == NULL)
		return true;
	buf_add_format(why, "%s: ", key->name);
	add_value(key, value, why);
	buf_add_format(why, " %s", problem);
	add_advice(key, value, problem, why);
	return false;
}

const char *
key_nearest(enum section section, const char *typed)
{
	const char *best = NULL;
	size_t i;

	for (i = 0; i < key_count; i++)
		if (keys[i].section == section)
			near_prefer(typed, keys[i].name, &best);
	return best;
}

const char *
section_nearest(const char *typed)
{
	const char *best = NULL;
	size_t i;

	for (i = 0; i < SECTION_COUNT; i++)
		near_prefer(typed, section_names[i], &best);
	return best;
}
