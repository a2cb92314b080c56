/*
 * Long texts for the unit tests.
 */
#ifndef HOOKSPOOL_TESTS_REPEAT_H
#define HOOKSPOOL_TESTS_REPEAT_H

#include <stdlib.h>
#include <string.h>

/* `head`, `unit` `count` times, `tail`; the caller frees. */
static inline char *
repeat_dup(const char *head, const char *unit, size_t count, const char *tail)
{
	size_t unit_len = strlen(unit), head_len = strlen(head), i;
	size_t tail_size = strlen(tail) + 1;
	char *text = malloc(head_len + count * unit_len + tail_size);
	char *at = text;

	assert_non_null(text);
	memcpy(at, head, head_len);
	for (i = 0, at += head_len; i < count; i++, at += unit_len)
		memcpy(at, unit, unit_len);
	memcpy(at, tail, tail_size);
	return text;
}

#endif
