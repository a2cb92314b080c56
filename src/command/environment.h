/*
 * The environment of the command: what the libraries below (libcurl, OpenSSL,
 * the resolver) would take from it is taken away. Keys of TLS connections
 * would be written to a file, servers be named by other files, certificates
 * be trusted that the configuration does not name.
 */
#ifndef HOOKSPOOL_ENVIRONMENT_H
#define HOOKSPOOL_ENVIRONMENT_H

/* Removes every variable but those that hookspool(8) names. Before any thread
 * and before any library is used. */
void environment_restrict(void);

#endif
