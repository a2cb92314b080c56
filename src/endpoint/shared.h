/*
 * A configuration and an open spool, shared by requests through a count of
 * users: the last user of an old one frees it. Callers hold the lock of the
 * settings.
 */
#ifndef HOOKSPOOL_SHARED_H
#define HOOKSPOOL_SHARED_H

struct config;
struct store;

struct shared_config {
	struct config *config;
	int users;
};

struct shared_store {
	struct store *store;
	char *path; /* the spool folder */
	int users;
};

/* Make a shared object with one user, the caller. Take `config` and `store`;
 * copy `path`. */
struct shared_config *shared_config_new(struct config *config);
struct shared_store *shared_store_new(struct store *store, const char *path);

/* Remove one user. NULL-safe. */
void shared_config_drop(struct shared_config *shared);
void shared_store_drop(struct shared_store *shared);

#endif
