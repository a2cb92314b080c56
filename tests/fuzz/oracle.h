/*
 * json-c as the judge of what our own checker lets through.
 */
#ifndef HOOKSPOOL_TESTS_ORACLE_H
#define HOOKSPOOL_TESTS_ORACLE_H

#include <stdbool.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "json/json.h"
#include "fuzz.h"

/* Whether json-c, as strict as it can be, takes the whole text; the caller
 * puts `object`. A space is appended, since it awaits the end of a number. */
static inline bool
oracle_parse(const char *text, size_t len, struct json_object **object)
{
	int flags = JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8;
	struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
	char *copy = malloc(len + 2);
	bool is_fine;

	HOLDS(tokener != NULL && copy != NULL);
	memcpy(copy, text, len);
	memcpy(copy + len, " ", 2);
	json_tokener_set_flags(tokener, flags);
	*object = json_tokener_parse_ex(tokener, copy, (int)len + 1);
	is_fine = json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	free(copy);
	return is_fine;
}

#endif
