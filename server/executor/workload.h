/* workload.h - one kind of work that computes, like the rendering of one route: is its next run short enough for the loop?
 *
 * The way to the thread pool and back takes some 20 us of processor time (where many are in line, 5), which for a short run is
 * a good part of the run itself; a long run on the loop keeps everybody else waiting. Which of them the next one is, a workload
 * knows from its size and from what those before it took:
 *
 *     static workload PAGES = { .name = "GET /users/:id" };
 *
 *     workload_run run = { &PAGES, .size = bytes, .fn = write_page, .arg = &page };
 *     err = await(workload_start(&run));
 *
 *   Estimate.   Nanoseconds for each unit of size, as a mean in which older runs count less and less. A run that was
 *               interrupted counts as twice the mean at most, so that no single one moves it far. All runs are measured,
 *               wherever they are, so that it goes to the pool when it gets slow and comes back when it is quick again.
 *               The first run, of which nothing is known, is in the pool.
 *   Size.       In whatever unit says how long it takes before it begins: bytes that are written, rows. What comes along
 *               with each run, however small, is a part of it. So a run that is far larger than all before it goes to
 *               the pool at once.
 *   Modes.      A blocking thread does its work right here.
 *   Threads.    For any thread. Two runs that end at the same moment may count as one in the estimate. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "server/async/promise.h"

#include <stddef.h>
#include <stdint.h>

typedef struct workload {
    const char      *name;                   /* for people, and unique */
    _Atomic double   estimate;               /* 0: it has not run */
    _Atomic uint64_t on_loop, off_loop;      /* runs since the start */
} workload;

/* As [rendering] where lists them. */
typedef enum workload_choice { WORKLOAD_AUTO, WORKLOAD_ON_LOOP, WORKLOAD_IN_POOL } workload_choice;

typedef struct workload_run {
    workload        *workload;
    size_t           size;                   /* at least 1 */
    int            (*fn)(void *arg);         /* what it returns is the outcome */
    void            *arg;
    workload_choice  choice;                 /* WORKLOAD_AUTO: as configured */
    const char      *place;                  /* once started: "loop", "pool", or of threads mode "thread" */
    uint64_t         ns;                     /* once it has run: what it took, */
    uint64_t         queued;                 /* and in the pool, for how long it had waited for a thread */
} workload_run;

/* For all workloads, before any other thread starts: where those run that do not choose for themselves. WORKLOAD_AUTO, as
 * at first: on the loop if that will take no longer than so many microseconds, else in the pool. */
void workload_configure(workload_choice choice, int microseconds);

/* On the loop it has run when this returns, and the promise has settled; in the pool it is as with in_thread (thread_pool.h),
 * its refusals included. The run must outlive the promise. */
MUST_AWAIT promise *workload_start(workload_run *run);

#endif
