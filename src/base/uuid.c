/*
 * Event ids: see uuid.h.
 */
#include "config.h"

#include "base/uuid.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static void
fill_random(unsigned char *bytes, size_t len)
{
	ssize_t got;

	do {
		got = getrandom(bytes, len, 0);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)len)
		abort(); /* getrandom(2) returns up to 256 bytes whole */
}

void
uuid_make(int64_t wall_ms, char *text)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char id[16];
	size_t i;

	fill_random(id, sizeof id);
	for (i = 0; i < 6; i++)
		id[i] = (unsigned char)((uint64_t)wall_ms >> (40 - 8 * i));
	id[6] = (unsigned char)(0x70 | (id[6] & 0x0f)); /* version 7 */
	id[8] = (unsigned char)(0x80 | (id[8] & 0x3f)); /* variant 10 */
	for (i = 0; i < sizeof id; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = hex[id[i] >> 4];
		*text++ = hex[id[i] & 15];
	}
	*text = '\0';
}
