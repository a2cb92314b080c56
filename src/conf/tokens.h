/*
 * Files of secrets, one secret per line. A bad file of verify_token_file or
 * path_key_file is no error of the configuration: the fault goes into a
 * *_problem field, and never quotes a secret.
 */
#ifndef HOOKSPOOL_TOKENS_H
#define HOOKSPOOL_TOKENS_H

struct config;
struct text_list;

/* Adds the files' secrets to the lists, and the files to the watched files. */
void tokens_read_all(struct config *config);

/* Adds the secrets of the file at `path`, each checked, to the list, and the
 * file to the watched files. Returns NULL, or a sentence that says what is
 * wrong, for the caller to free. */
char *tokens_read_file(struct config *config, const char *path,
    struct text_list *list, const char *(*check)(const char *));

#endif
