/*
 * A spool in a temporary folder, for the tests of src/spool.
 */
#ifndef HOOKSPOOL_TESTS_SPOOL_FIXTURE_H
#define HOOKSPOOL_TESTS_SPOOL_FIXTURE_H

#include "spool/spool.h"

struct fixture {
	char *folder; /* temporary, removed with all that is in it */
	char *path;   /* the spool in it: made, and opened as `store` */
	struct store *store;
};

/* For cmocka_unit_test_setup_teardown. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Opens a spool, or fails the test with the reason. */
struct store *fixture_open(const char *path, enum store_access access);

/* A capture of `body` with a fresh id; `event` is a constant one. */
struct capture fixture_capture(const char *body);

/* Stores one event and returns its seq, or fails the test. */
int64_t fixture_store(struct store *store, const char *body);

/* One integer, or text (the caller frees it), out of the database at `path`,
 * by a connection of its own. */
int64_t fixture_query(const char *path, const char *sql);
char *fixture_query_text(const char *path, const char *sql);

/* The path of a file in the spool; the caller frees it. */
char *fixture_join(const char *path, const char *name);

#endif
