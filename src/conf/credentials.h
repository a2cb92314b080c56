/*
 * The files by which the relay proves to a destination who it is. What is
 * wrong with one is an error of the configuration, since to deliver without
 * it would be wrong too; the sentence never quotes a secret.
 */
#ifndef HOOKSPOOL_CREDENTIALS_H
#define HOOKSPOOL_CREDENTIALS_H

#include <stdbool.h>

#include "base/buf.h"

struct config;

/* Reads them for every destination, and adds them to the files watched.
 * False, with `why`, at the first that is not right. */
bool credentials_read_all(struct config *config, struct buf *why);

#endif
