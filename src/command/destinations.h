/*
 * The part of hookspool check that leaves the machine: tries to reach each
 * destination as the relay would.
 */
#ifndef HOOKSPOOL_DESTINATIONS_H
#define HOOKSPOOL_DESTINATIONS_H

struct config;
struct report;

/* Tries all destinations at once, for a few seconds at most, and adds a finding
 * for each. Sends no request. */
void destinations_check(struct report *report, const struct config *config);

#endif
