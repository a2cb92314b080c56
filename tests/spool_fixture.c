/*
 * A spool in a temporary folder: see spool_fixture.h.
 */
#include "config.h"

#include "unit.h"

#include "spool_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "event/event.h"

static char community[] = "Example";
static char type[] = "ticket_status_change";
static char ticket[] = "4478963";
static const struct event an_event = {
    .community = community, .type = type, .ticket = ticket};

char *
fixture_join(const char *path, const char *name)
{
	return xasprintf("%s/%s", path, name);
}

static void
remove_all(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char *name = fixture_join(path, entry->d_name);

		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 && unlink(name) != 0)
			remove_all(name);
		free(name);
	}
	if (folder != NULL)
		closedir(folder);
	rmdir(path);
}

struct store *
fixture_open(const char *path, enum store_access access)
{
	struct store_options options = {.path = path, .access = access};
	struct store *store = NULL;
	struct buf why;

	buf_init(&why, 1000);
	if (store_open(&options, &store, &why) != STORE_OK)
		fail_msg("%s", buf_text(&why));
	buf_free(&why);
	return store;
}

int
fixture_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct fixture *fixture = xcalloc(1, sizeof *fixture);
	struct buf why;

	alarm(300); /* a test that hangs ends, and says where */
	buf_init(&why, 1000);
	fixture->folder =
	    fixture_join(tmp != NULL ? tmp : "/tmp", "hookspool-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	fixture->path = fixture_join(fixture->folder, "spool");
	if (store_create(fixture->path, (uid_t)-1, (gid_t)-1, false, &why) !=
	    STORE_OK)
		fail_msg("%s", buf_text(&why));
	buf_free(&why);
	fixture->store = fixture_open(fixture->path, STORE_RELAY);
	*state = fixture;
	return 0;
}

int
fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	store_close(fixture->store);
	remove_all(fixture->folder);
	free(fixture->path);
	free(fixture->folder);
	free(fixture);
	return 0;
}

struct capture
fixture_capture(const char *body)
{
	struct capture capture = {.received_at_ms = clock_wall_ms(),
	    .event = &an_event,
	    .content_type = "application/json",
	    .remote_addr = "192.0.2.1",
	    .body = body,
	    .body_bytes = strlen(body)};

	uuid_make(capture.received_at_ms, capture.id);
	return capture;
}

int64_t
fixture_store(struct store *store, const char *body)
{
	struct capture capture = fixture_capture(body);

	store_capture(store, &capture, 1, clock_mono_ms() + 20000);
	if (capture.result != CAPTURE_STORED)
		fail_msg("result %d: %s", capture.result, store_why(store));
	return capture.seq;
}

static sqlite3_stmt *
first_row(sqlite3 **db, const char *path, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	char *name = fixture_join(path, "spool.db");

	assert_int_equal(
	    sqlite3_open_v2(name, db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(*db, 5000);
	if (sqlite3_prepare_v2(*db, sql, -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(*db));
	free(name);
	return statement;
}

int64_t
fixture_query(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement = first_row(&db, path, sql);
	int64_t value = sqlite3_column_int64(statement, 0);

	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

char *
fixture_query_text(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement = first_row(&db, path, sql);
	char *text = xstrdup((const char *)sqlite3_column_text(statement, 0));

	sqlite3_finalize(statement);
	sqlite3_close(db);
	return text;
}
