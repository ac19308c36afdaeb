/* loop_latency.h - how long the turns of loops take: for so long a turn makes all else wait.
 *
 * A turn is all that runs between two polls for I/O. One that takes long is what "never block the loop" is
 * about; the counts of all loops since they started can be read at any time, from any thread. Their time is
 * that of uv_hrtime, whatever is done to the loop's own clock meanwhile. */
#ifndef LOOP_LATENCY_H
#define LOOP_LATENCY_H

#include "server/base/list.h"
#include "server/base/observe/counter.h"

enum { LOOP_LATENCY_BUCKETS = 24 };

typedef struct loop_latency {
    _Atomic uint64_t counts[LOOP_LATENCY_BUCKETS];           /* written by the loop's own thread only, as is busy */
    _Atomic uint64_t busy;                   /* nanoseconds of all turns */
    int              number;                 /* of the loop, as the watchdog has it: from 1 on */
    list_node        node;                   /* among those of all loops */
} loop_latency;

typedef struct loop_latency_view {
    int      number;
    uint64_t busy, turns;
    uint64_t counts[LOOP_LATENCY_BUCKETS];
} loop_latency_view;

/* Turns of the i-th bucket took less than this many milliseconds, and no less than the bucket before:
 * 1, 2, 3, 4, 6, 8, 12, 16, 24 ...; those of the last took longer still. */
uint64_t loop_latency_bound(int bucket);

void loop_latency_begin(loop_latency *l);    /* {0} counts, for all to see, until loop_latency_end */
void loop_latency_end(loop_latency *l);
void loop_latency_count(loop_latency *l, uint64_t ns);

/* Shows the counts of each loop in turn, then returns; no loop may begin or end in show. */
void loop_latency_each(void (*show)(const loop_latency_view *v, void *arg), void *arg);

#endif
