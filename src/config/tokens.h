/*
 * The files that verify_token_file and path_key_file name: one secret a
 * line. What is wrong with them is not an error of the configuration: it goes
 * into the *_problem fields, and never quotes a secret.
 */
#ifndef HOOKSPOOL_TOKENS_H
#define HOOKSPOOL_TOKENS_H

struct config;

/* Adds what the files hold to the lists, and the files to those watched. */
void tokens_read_all(struct config *config);

#endif
