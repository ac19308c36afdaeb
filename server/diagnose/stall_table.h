/* stall_table.h - where loops were blocked: each stack that was seen, how often, and for how long in all; since the start.
 *
 * It is of a fixed size; what no longer fits is counted together. tenk stalls reads it from outside (server/inspect/), and makes
 * of it what flame graphs are drawn from. The same table says what is worth a line of the log: of each label at most
 * STALLS_A_MINUTE, for a program that is blocked all the time is not helped by a line each time.
 *
 *   Threads.  For one: the watchdog's. */
#ifndef STALL_TABLE_H
#define STALL_TABLE_H

#include "stack_sampler.h"

enum { STALLS_A_MINUTE = 5 };

typedef struct stall_entry {
    uint64_t  times, ms;                     /* times 0: there is none */
    uint64_t  count;                         /* of frames; 0: not known, or one of those for which there was no room */
    uintptr_t frames[STACK_SAMPLE_FRAMES];   /* the innermost first */
    label     label;
} stall_entry;

/* Counts it once more; sample may be NULL. Its time is to be added when it is known. */
stall_entry *stall_table_count(label l, const stack_sample *sample);

/* May it be logged, at that time in milliseconds? If so, *held is how many of that label were not since the last that was. */
bool stall_table_may_log(label l, uint64_t now, uint64_t *held);

#endif
