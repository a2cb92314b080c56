/*
 * Judges an attempt: for its delivery (delivered, when to retry, dead) and for
 * its destination (up, down, paused, held).
 */
#ifndef HOOKSPOOL_JUDGE_H
#define HOOKSPOOL_JUDGE_H

#include <stdint.h>

struct claim;

/* Returns any number, for jitter and for choosing the probe. */
uint32_t judge_random(void);

/* Judges a claim with a `result`: sets its outcome and news, and changes its
 * queue. A fault of this machine does not count: the queue rests, and the
 * delivery is tried again. */
void judge_attempt(struct claim *claim, int64_t now_ms);

#endif
