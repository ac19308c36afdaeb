/* stopwatch.h - for how long at least one of several overlapping things was going on.
 *
 * Two queries of 50 ms side by side are 50 ms of database time, not 100. */
#ifndef STOPWATCH_H
#define STOPWATCH_H

#include <stdint.h>
#include <uv.h>

typedef struct stopwatch {
    uint64_t since, total;                   /* nanoseconds */
    unsigned running;                        /* started and not yet stopped */
} stopwatch;

static inline void stopwatch_start(stopwatch *w)
{
    if (w->running++ == 0)
        w->since = uv_hrtime();
}

static inline void stopwatch_stop(stopwatch *w)
{
    if (--w->running == 0)
        w->total += uv_hrtime() - w->since;
}

#endif
