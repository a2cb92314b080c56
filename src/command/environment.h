/*
 * Restricts the command's environment. Libraries (libcurl, OpenSSL, the
 * resolver) would obey variables that write TLS keys to a file, redirect host
 * names, or trust certificates that the configuration does not name.
 */
#ifndef HOOKSPOOL_ENVIRONMENT_H
#define HOOKSPOOL_ENVIRONMENT_H

/* Removes every variable that hookspool(8) does not name. Call before any
 * thread starts and before any library is used. */
void environment_restrict(void);

#endif
