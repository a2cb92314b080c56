/*
 * Makes an empty spool, for tests in Python: make_spool PATH.
 */
#include "config.h"

#include <stdio.h>

#include "base/buf.h"
#include "spool/spool.h"

int
main(int argc, char **argv)
{
	enum store_status status = STORE_FAILED;
	struct buf why;

	buf_init(&why, 4096);
	if (argc == 2)
		status =
		    store_create(argv[1], (uid_t)-1, (gid_t)-1, false, &why);
	if (status != STORE_OK)
		fprintf(stderr, "make_spool: %s\n", buf_text(&why));
	buf_free(&why);
	return status == STORE_OK ? 0 : 1;
}
