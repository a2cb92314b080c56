/*
 * Parses text into struct config: sections, repetitions, defaults, and the
 * rules between keys. Reads line by line and stops at the first error.
 */
#include "config.h"

#include "conf/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/credentials.h"
#include "conf/file.h"
#include "conf/ini.h"
#include "conf/keys.h"
#include "conf/texts.h"
#include "conf/tokens.h"
#include "conf/value.h"

#define KEPT_MAX_BYTES  (4U << 20)
#define LETTERS         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_MAX_BYTES  64
#define SENDER_WAITS_MS 20000

struct parse {
	struct config *config;
	const char *path;
	enum config_scope scope;
	struct buf *why;
	struct ini_line line;
	unsigned number;      /* of the line */
	enum section section; /* SECTION_COUNT: none yet, or skipping */
	bool is_skipping;
	unsigned header_at;                 /* line of this section's header */
	unsigned section_at[SECTION_COUNT]; /* its line; 0: not seen */
	unsigned key_at[KEYS_MAX];          /* line in this section; 0: not
					       seen */
	struct buf kept;
};

static bool fail_at(struct parse *p, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool
fail_at(struct parse *p, unsigned line, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	buf_add_format(p->why, "%s:%u: %s", p->path, line, text);
	free(text);
	return false;
}

#define fail(p, ...) fail_at(p, (p)->number, __VA_ARGS__)

/* ---- sections ---- */

static struct destination_config *
newest_destination(struct config *config)
{
	return &config->destinations[config->destination_count - 1];
}

static void *
fields_of(struct parse *p, enum section section)
{
	switch (section) {
	case SECTION_ENDPOINT:
		return &p->config->endpoint;
	case SECTION_SPOOL:
		return &p->config->spool;
	case SECTION_RELAY:
		return &p->config->relay;
	case SECTION_LOG:
		return &p->config->log;
	case SECTION_DESTINATION:
		return newest_destination(p->config);
	case SECTION_COUNT:
		break;
	}
	abort();
}

/* Sets the section's missing keys to their defaults. */
static void
fill_defaults(struct parse *p, enum section section)
{
	size_t i;
	bool is_fine;

	for (i = 0; i < key_count; i++) {
		if (keys[i].section != section || p->key_at[i] != 0 ||
		    keys[i].initial == NULL)
			continue;
		is_fine = key_set(
		    &keys[i], keys[i].initial, fields_of(p, section), p->why);
		if (!is_fine)
			abort(); /* a default in the table is wrong */
	}
}

static bool
check_destination(struct parse *p)
{
	const struct destination_config *d = newest_destination(p->config);

	if (d->url == NULL)
		return fail_at(p, p->header_at,
		    "[destination %s] has no url; write url = https://...",
		    d->name);
	if ((d->client_cert == NULL) != (d->client_key == NULL))
		return fail_at(p, p->header_at,
		    "[destination %s] has only one of client_cert and "
		    "client_key; write both",
		    d->name);
	return true;
}

/* Ends a section: fills in defaults and checks the whole. */
static bool
leave_section(struct parse *p)
{
	enum section section = p->section;

	p->section = SECTION_COUNT;
	if (section == SECTION_COUNT)
		return true;
	fill_defaults(p, section);
	return section != SECTION_DESTINATION || check_destination(p);
}

static bool
is_name(const char *name)
{
	size_t len = strspn(name, LETTERS "0123456789-_.");

	return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0';
}

static bool
add_destination(struct parse *p)
{
	struct config *config = p->config;
	const char *name = p->line.value;
	size_t i;

	if (!is_name(name))
		return fail(p,
		    "the destination has no valid name; write [destination "
		    "NAME], with 1 to 64 letters, digits and - _ . in NAME");
	for (i = 0; i < config->destination_count; i++)
		if (strcmp(config->destinations[i].name, name) == 0)
			return fail(p,
			    "[destination %s] is there twice; rename one of "
			    "them",
			    name);
	config->destinations = xreallocarray(config->destinations,
	    config->destination_count + 1, sizeof *config->destinations);
	config->destinations[config->destination_count++] =
	    (struct destination_config){.name = xstrdup(name)};
	return true;
}

static bool
begin_section(struct parse *p, enum section section)
{
	size_t i;

	if (section == SECTION_DESTINATION) {
		if (!add_destination(p))
			return false;
	} else if (*p->line.value != '\0') {
		return fail(p, "section [%s] has a name; write [%s]",
		    section_names[section], section_names[section]);
	} else if (p->section_at[section] != 0) {
		return fail(p,
		    "section [%s] is there twice, first in line %u; write all "
		    "its keys in one",
		    section_names[section], p->section_at[section]);
	}
	p->section_at[section] = p->header_at = p->number;
	for (i = 0; i < key_count; i++)
		if (keys[i].section == section)
			p->key_at[i] = 0;
	p->section = section;
	return true;
}

static enum section
find_section(const char *word)
{
	unsigned i;

	for (i = 0; i < SECTION_COUNT; i++)
		if (strcmp(section_names[i], word) == 0)
			break;
	return (enum section)i;
}

static bool
is_of_the_endpoint(enum section section)
{
	return section == SECTION_ENDPOINT || section == SECTION_SPOOL ||
	       section == SECTION_LOG;
}

/* Refuses an unknown header. The endpoint skips unknown sections, unless the
 * name is close to a section of its own. */
static bool
refuse_section(struct parse *p, const char *word, const char *problem)
{
	const char *nearest = section_nearest(word);
	struct buf quoted;

	if (p->scope == CONFIG_ENDPOINT &&
	    (nearest == NULL || !is_of_the_endpoint(find_section(nearest)))) {
		p->is_skipping = true;
		return true;
	}
	buf_init(&quoted, 512);
	value_quote(&quoted, word);
	if (problem != NULL)
		fail(p, "%s", problem);
	else if (nearest != NULL)
		fail(p, "unknown section %s; did you mean [%s]?",
		    buf_text(&quoted), nearest);
	else
		fail(p,
		    "unknown section %s; write [endpoint], [spool], [relay], "
		    "[log] or [destination NAME]",
		    buf_text(&quoted));
	buf_free(&quoted);
	return false;
}

/* Refuses or skips a malformed header by the word in it. */
static bool
refuse_broken_header(
    struct parse *p, const char *bytes, size_t len, const char *problem)
{
	char *text = xmemdup(bytes, len), *word = text + strspn(text, " \t[");
	bool is_fine;

	word[strspn(word, LETTERS "_-")] = '\0';
	is_fine = refuse_section(p, word, problem);
	free(text);
	return is_fine;
}

/* Returns whether the endpoint skips the section: destinations, and a malformed
 * [relay]. */
static bool
is_passed_over(const struct parse *p, enum section section)
{
	if (p->scope != CONFIG_ENDPOINT)
		return false;
	return section == SECTION_DESTINATION ||
	       (section == SECTION_RELAY &&
		   (p->section_at[section] != 0 || *p->line.value != '\0'));
}

static bool
read_header(struct parse *p)
{
	enum section section = find_section(p->line.key);

	if (section == SECTION_COUNT)
		return refuse_section(p, p->line.key, NULL);
	if (section == SECTION_DESTINATION && is_name(p->line.value))
		text_list_add(&p->config->destination_names, p->line.value,
		    strlen(p->line.value));
	if (is_passed_over(p, section)) {
		p->is_skipping = true;
		return true;
	}
	return begin_section(p, section);
}

/* ---- keys ---- */

static bool
refuse_key(struct parse *p)
{
	const char *section = section_names[p->section];
	const char *typed = p->line.key;
	const char *nearest = key_nearest(p->section, typed);
	enum section other;

	if (nearest != NULL)
		return fail(p,
		    "unknown key \"%.64s\" in [%s]; did you mean "
		    "\"%s\"?",
		    typed, section, nearest);
	for (other = 0; other < SECTION_COUNT; other++)
		if (key_find(other, typed) != NULL)
			return fail(p,
			    "unknown key \"%.64s\" in [%s]; write it in [%s]",
			    typed, section, section_names[other]);
	return fail(p,
	    "unknown key \"%.64s\" in [%s]; see hookspool.conf(5) for the keys",
	    typed, section);
}

/* Records keys whose loss tells of a truncated file: see choice.c. */
static void
note_given(struct parse *p, const struct key *key)
{
	if (key->section == SECTION_ENDPOINT)
		p->config->endpoint.is_given = true;
	if (key->section == SECTION_SPOOL && strcmp(key->name, "path") == 0)
		p->config->spool.is_path_given = true;
}

static bool
read_key(struct parse *p)
{
	const struct key *key;
	unsigned *key_at;
	struct buf problem;
	bool is_fine;

	if (p->section == SECTION_COUNT)
		return fail(p,
		    "\"%.64s\" is before the first section; write its "
		    "[section] above it",
		    p->line.key);
	key = key_find(p->section, p->line.key);
	if (key == NULL)
		return refuse_key(p);
	key_at = &p->key_at[key - keys];
	if (*key_at != 0 && !key_is_repeatable(key))
		return fail(p,
		    "\"%s\" is there twice, first in line %u; remove one of "
		    "them",
		    key->name, *key_at);
	buf_init(&problem, 2048);
	is_fine =
	    key_set(key, p->line.value, fields_of(p, p->section), &problem);
	if (is_fine) {
		*key_at = p->number;
		note_given(p, key);
	} else {
		fail(p, "%s", buf_text(&problem));
	}
	buf_free(&problem);
	return is_fine;
}

/* ---- lines ---- */

static bool
read_line(struct parse *p, const char *bytes, size_t len)
{
	const char *problem = ini_read(&p->line, bytes, len);
	size_t blank = 0;

	while (blank < len && (bytes[blank] == ' ' || bytes[blank] == '\t'))
		blank++;
	if (blank < len && bytes[blank] == '[') {
		if (!leave_section(p))
			return false;
		p->is_skipping = false;
		return problem != NULL
			   ? refuse_broken_header(p, bytes, len, problem)
			   : read_header(p);
	}
	if (p->is_skipping)
		return true;
	if (problem != NULL)
		return fail(p, "%s", problem);
	return p->line.kind != INI_KEY || read_key(p);
}

/* Returns whether an error may be ignored: the endpoint ignores those of
 * [relay]. */
static bool
may_be_wrong(const struct parse *p)
{
	return p->scope == CONFIG_ENDPOINT && p->section == SECTION_RELAY;
}

static bool
read_text(struct parse *p, const char *text, size_t len)
{
	const char *newline;
	size_t line_len;

	while (len > 0) {
		newline = memchr(text, '\n', len);
		line_len = newline != NULL ? (size_t)(newline - text) : len;
		p->number++;
		if (!read_line(p, text, line_len)) {
			if (!may_be_wrong(p))
				return false;
			buf_clear(p->why);
		} else if (p->section != SECTION_COUNT &&
			   p->section != SECTION_DESTINATION) {
			buf_add(&p->kept, text, line_len);
			buf_add_text(&p->kept, "\n");
		}
		if (newline == NULL)
			break;
		text += line_len + 1;
		len -= line_len + 1;
	}
	return leave_section(p);
}

/* ---- the whole ---- */

static bool
check_times(struct parse *p)
{
	const struct endpoint_config *e = &p->config->endpoint;

	if (e->body_timeout_ms + e->capture_timeout_ms < SENDER_WAITS_MS)
		return true;
	return fail_at(p, p->section_at[SECTION_ENDPOINT],
	    "body_timeout (%llds) and capture_timeout (%llds) are together not "
	    "below 20s, when the sender gives up; lower one of them",
	    (long long)e->body_timeout_ms / 1000,
	    (long long)e->capture_timeout_ms / 1000);
}

static bool
finish(struct parse *p)
{
	enum section section;

	for (section = 0; section < SECTION_DESTINATION; section++)
		if (p->section_at[section] == 0)
			fill_defaults(p, section);
	if (p->scope == CONFIG_ENDPOINT)
		p->config->kept_text = buf_take(&p->kept);
	return check_times(p);
}

struct config *
config_parse(const char *path, const char *text, size_t len,
    enum config_scope scope, struct buf *why)
{
	struct parse p = {
	    .path = path, .scope = scope, .why = why, .section = SECTION_COUNT};
	bool is_fine;

	buf_clear(why);
	p.config = xcalloc(1, sizeof *p.config);
	p.config->path = xstrdup(path);
	buf_init(&p.kept, KEPT_MAX_BYTES);
	is_fine = read_text(&p, text, len) && finish(&p) &&
		  credentials_read_all(p.config, why);
	if (is_fine) {
		tokens_read_all(p.config);
	} else {
		config_drop(p.config);
		p.config = NULL;
	}
	ini_free(&p.line);
	buf_free(&p.kept);
	return p.config;
}
