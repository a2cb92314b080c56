/*
 * A configuration and an open spool that requests share by counting their
 * users: the last one that lets an old one go frees it. Whoever counts has the
 * lock of the settings.
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
	char *path; /* the folder */
	int users;
};

/* With one user, the caller. What is shared is taken, `path` is copied. */
struct shared_config *shared_config_new(struct config *config);
struct shared_store *shared_store_new(struct store *store, const char *path);

/* One user less. NULL-safe. */
void shared_config_drop(struct shared_config *shared);
void shared_store_drop(struct shared_store *shared);

#endif
