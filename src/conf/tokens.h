/*
 * Files of secrets: one a line. What is wrong with those that
 * verify_token_file and path_key_file name is not an error of the
 * configuration: it goes into the *_problem fields, and never quotes a secret.
 */
#ifndef HOOKSPOOL_TOKENS_H
#define HOOKSPOOL_TOKENS_H

struct config;
struct text_list;

/* Adds what the files hold to the lists, and the files to those watched. */
void tokens_read_all(struct config *config);

/* Adds what the file at `path` holds to the list, each secret checked, and
 * the file to those watched. NULL, or the sentence that says what is wrong;
 * the caller frees it. */
char *tokens_read_file(struct config *config, const char *path,
    struct text_list *list, const char *(*check)(const char *));

#endif
