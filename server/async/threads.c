/* threads.c - see threads.h. */
#include "threads.h"
#include "lane.h"

#include <stdio.h>
#include <stdlib.h>

void threads_configure(int threads, int running, int waiting)
{
    char n[16];
    snprintf(n, sizeof n, "%d", threads);
    setenv("UV_THREADPOOL_SIZE", n, 1);
    lane_add("cpu", running, waiting);
}

promise *in_thread(int (*fn)(void *), void *arg) { return in_lane(LANE_CPU, fn, arg); }
