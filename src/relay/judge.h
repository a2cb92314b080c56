/*
 * What an attempt comes to: for its delivery (delivered, tried again and when,
 * dead) and for its destination (up, down, paused, held).
 */
#ifndef HOOKSPOOL_JUDGE_H
#define HOOKSPOOL_JUDGE_H

#include <stdint.h>

struct claim;

/* Any number: for jitter, and for which delivery is a probe. */
uint32_t judge_random(void);

/* Of a claim whose `result` has come: sets its outcome and its news, and what
 * they change of its queue. What failed by a fault of this machine counts for
 * nothing: the queue rests, and the delivery is tried again. */
void judge_attempt(struct claim *claim, int64_t now_ms);

#endif
