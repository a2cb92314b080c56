/*
 * Names of users and groups, for people: messages that name `www-data` and
 * not 33.
 */
#ifndef HOOKSPOOL_BASE_USER_H
#define HOOKSPOOL_BASE_USER_H

#include <sys/types.h>

/* The name, or the number where there is no such user or group. The caller
 * frees it. */
char *user_name_dup(uid_t uid);
char *group_name_dup(gid_t gid);

#endif
