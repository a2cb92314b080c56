/*
 * What others do to a spool while a relay runs, for tests in Python:
 *     spool_tool SPOOL pause NAME | resume NAME | reload | wake
 * A pause and a resume wake the relay as well. Exit status 0: done.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "spool/spool.h"
#include "spool/wake.h"

static enum store_status
change(const char *path, const char *verb, const char *name)
{
	struct store_options options = {.path = path, .access = STORE_RELAY};
	struct store *store = NULL;
	enum store_status status;
	struct buf why;

	buf_init(&why, 4096);
	status = store_open(&options, &store, &why);
	if (status == STORE_OK && strcmp(verb, "pause") == 0)
		status = store_pause(store, name, "by a test");
	else if (status == STORE_OK)
		status = store_resume(store, name);
	if (status != STORE_OK)
		fprintf(stderr, "spool_tool: %s\n",
		    store != NULL ? store_why(store) : buf_text(&why));
	store_close(store);
	buf_free(&why);
	return status;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[2], "reload") == 0)
		return wake_ask_reload(argv[1]) == WAKE_SENT ? 0 : 1;
	if (argc == 4 && change(argv[1], argv[2], argv[3]) != STORE_OK)
		return 1;
	return wake_send(argv[1]) == WAKE_SENT ? 0 : 1;
}
