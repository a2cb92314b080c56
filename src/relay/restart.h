/*
 * Starting this program anew, in the place of the process: after an upgrade
 * the same command line is then the new program, with the same pid.
 */
#ifndef HOOKSPOOL_RESTART_H
#define HOOKSPOOL_RESTART_H

#include <stdbool.h>

/* Whether a restart would come to work: the configuration at `config_path` is
 * right, and the program is there. Logs what is not. */
bool restart_is_possible(const char *config_path);

/* Executes it; everything has been closed before. Returns only if that failed,
 * and has logged it. */
void restart_execute(void);

#endif
