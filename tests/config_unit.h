/*
 * What the unit tests of the configuration as text share: include after
 * unit.h.
 */
#ifndef HOOKSPOOL_TESTS_CONFIG_UNIT_H
#define HOOKSPOOL_TESTS_CONFIG_UNIT_H

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

#define URL "url = https://crm.example.com/hook\n"

#define SECRET       "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
#define OTHER_SECRET "whsec_AgICAgICAgICAgICAgICAgICAgICAgICAgI="

static struct buf why;

static inline struct config *
parse(const char *text, enum config_scope scope)
{
	return config_parse("/etc/x.conf", text, strlen(text), scope, &why);
}

/* The text is refused, and the sentence holds every part. */
static inline void
refused(const char *text, enum config_scope scope, const char *part)
{
	struct config *config = parse(text, scope);

	if (config != NULL || strstr(buf_text(&why), part) == NULL)
		print_error("text: %s\nsaid: %s\nwanted: %s\n", text,
		    buf_text(&why), part);
	assert_null(config);
	assert_non_null(strstr(buf_text(&why), part));
}

static inline struct config *
accepted(const char *text, enum config_scope scope)
{
	struct config *config = parse(text, scope);

	if (config == NULL)
		print_error("text: %s\nsaid: %s\n", text, buf_text(&why));
	assert_non_null(config);
	assert_string_equal(buf_text(&why), "");
	return config;
}

/* A value of a key, and what is said of it; NULL: it is fine. */
struct value {
	const char *key;
	const char *text;
	const char *said;
};

static inline void
judge(const char *head, const char *tail, const struct value *values)
{
	char text[4096];

	for (; values->key != NULL; values++) {
		snprintf(text, sizeof text, "%s\n%s = %s\n%s", head,
		    values->key, values->text, tail);
		if (values->said != NULL)
			refused(text, CONFIG_ALL, values->said);
		else
			config_drop(accepted(text, CONFIG_ALL));
	}
}

static inline int
set_up(void **state)
{
	(void)state;
	buf_init(&why, 16384);
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	buf_free(&why);
	return 0;
}

#endif
