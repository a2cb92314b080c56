/*
 * Names of users and groups for messages: `www-data`, not 33.
 */
#ifndef HOOKSPOOL_BASE_USER_H
#define HOOKSPOOL_BASE_USER_H

#include <sys/types.h>

/* Returns the name, or the number if there is no such user or group. The caller
 * frees the text. */
char *user_name_dup(uid_t uid);
char *group_name_dup(gid_t gid);

#endif
