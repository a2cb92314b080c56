/*
 * A growing byte buffer with a maximum: see buf.h.
 */
#include "config.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

char *
buf_reserve(struct buf *buf, size_t len)
{
	size_t need, cap;

	if (len > buf->max || buf->len > buf->max - len) {
		buf->is_truncated = true;
		return NULL;
	}
	need = buf->len + len + 1;
	if (need > buf->cap) {
		cap = buf->cap < 64 ? 64 : buf->cap * 2;
		if (cap > buf->max + 1)
			cap = buf->max + 1;
		if (cap < need)
			cap = need;
		buf->data = xreallocarray(buf->data, cap, 1);
		buf->cap = cap;
	}
	return buf->data + buf->len;
}

bool
buf_add(struct buf *buf, const void *bytes, size_t len)
{
	char *end = buf_reserve(buf, len);

	if (end == NULL)
		return false;
	if (len > 0)
		memcpy(end, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return true;
}

bool
buf_add_text(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

bool
buf_add_format(struct buf *buf, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	bool fits;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		abort();
	fits = buf_add(buf, text, (size_t)len);
	free(text);
	return fits;
}

const char *
buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

char *
buf_take(struct buf *buf)
{
	char *data = buf->data != NULL ? buf->data : xstrdup("");

	buf_init(buf, buf->max);
	return data;
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->is_truncated = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void
buf_free(struct buf *buf)
{
	if (buf == NULL)
		return;
	free(buf->data);
	buf_init(buf, buf->max);
}
