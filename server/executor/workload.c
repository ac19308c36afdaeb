/* workload.c - see workload.h. */
#include "workload.h"
#include "server/async/loop.h"
#include "thread_pool.h"

#include <stdatomic.h>
#include <uv.h>

enum {
    RUNS = 8,                                /* the mean is of about so many: the last counts for an eighth */
    MOST_TIMES = 2,                          /* a run counts for no more than so many times the mean */
};

static workload_choice configured = WORKLOAD_AUTO;
static uint64_t        limit = 150 * 1000;   /* nanoseconds */

void workload_configure(workload_choice choice, int microseconds)
{
    configured = choice;
    limit = (uint64_t)microseconds * 1000;
}

static void workload_learn(workload *w, size_t size, uint64_t ns)
{
    const double mean = atomic_load_explicit(&w->estimate, memory_order_relaxed);
    double now = (double)(ns ? ns : 1) / (double)size;
    if (mean > 0) {
        now = now < MOST_TIMES * mean ? now : MOST_TIMES * mean;
        now = mean + (now - mean) / RUNS;
    }
    atomic_store_explicit(&w->estimate, now, memory_order_relaxed);
}

static bool workload_is_short(const workload_run *run)
{
    const double estimate = atomic_load_explicit(&run->workload->estimate, memory_order_relaxed);
    return estimate > 0 && estimate * (double)run->size <= (double)limit;
}

static bool workload_stays(const workload_run *run)
{
    const workload_choice choice = run->choice == WORKLOAD_AUTO ? configured : run->choice;
    return choice == WORKLOAD_AUTO ? workload_is_short(run) : choice == WORKLOAD_ON_LOOP;
}

static int workload_measure(void *arg)
{
    workload_run *run = arg;
    const uint64_t began = uv_hrtime();
    const int err = run->fn(run->arg);
    run->ns = uv_hrtime() - began;
    workload_learn(run->workload, run->size, run->ns);
    return err;
}

static int workload_measure_off_loop(void *arg)
{
    workload_run *run = arg;
    run->queued = run->queued ? uv_hrtime() - run->queued : 0;
    atomic_fetch_add_explicit(&run->workload->off_loop, 1, memory_order_relaxed);
    return workload_measure(run);
}

promise *workload_start(workload_run *run)
{
    if (!loop_here() || !workload_stays(run)) {
        run->place = loop_here() ? "pool" : "thread";
        run->queued = loop_here() ? uv_hrtime() : 0;         /* when it began to wait, until it runs */
        return in_thread(workload_measure_off_loop, run);
    }
    run->place = "loop";
    atomic_fetch_add_explicit(&run->workload->on_loop, 1, memory_order_relaxed);
    return promise_settled(workload_measure(run));
}
