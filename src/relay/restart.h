/*
 * Executes this program again in the same process. After an upgrade, the same
 * command line runs the new program under the same pid.
 */
#ifndef HOOKSPOOL_RESTART_H
#define HOOKSPOOL_RESTART_H

#include <stdbool.h>

/* Returns whether a restart would succeed: the configuration at `config_path`
 * is right, and the program exists. Logs what is wrong. */
bool restart_is_possible(const char *config_path);

/* Executes the program, after everything has been closed. Returns only on
 * failure, which is logged. */
void restart_execute(void);

#endif
