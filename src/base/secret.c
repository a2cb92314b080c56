/*
 * Comparison without an early exit: see secret.h.
 */
#include "config.h"

#include "base/secret.h"

#include <string.h>

bool
secret_equal(const char *got, size_t got_len, const char *wanted)
{
	size_t len = strlen(wanted), from = 0, i;
	/* volatile: keeps the compiler from stopping at the first
	 * difference. */
	volatile unsigned char differs = got_len != len;

	if (got_len == 0)
		return false;
	for (i = 0; i < len; i++) {
		differs |= (unsigned char)(got[from] ^ wanted[i]);
		from = from + 1 < got_len ? from + 1 : 0;
	}
	return differs == 0;
}
