/*
 * The files with which the relay proves its identity to a destination. A bad
 * file is an error of the configuration, because a delivery without it would be
 * wrong too. Sentences never quote a secret.
 */
#ifndef HOOKSPOOL_CREDENTIALS_H
#define HOOKSPOOL_CREDENTIALS_H

#include <stdbool.h>

#include "base/buf.h"

struct config;

/* Reads the files of every destination, and adds them to the watched files.
 * Returns false with `why` at the first bad file. */
bool credentials_read_all(struct config *config, struct buf *why);

#endif
