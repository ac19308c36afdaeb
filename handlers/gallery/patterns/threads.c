/* threads.c - work that computes goes to the thread pool; the loop stays free. */
#include "pattern.h"

SHOW_FROM(threads)
static int render(void *arg)                 /* in a thread of the pool */
{
    track *t = track_begin(arg, "computes, in a thread");
    spin_for(40);
    track_end(t, 0);
    return 0;
}

static async int run_threads(run *r)
{
    promise *jobs[6];
    for (int i = 0; i < 6; i++)
        jobs[i] = in_thread(render, run_track(r));
    return await(promise_gather(jobs, 6));
}
SHOW_TO(threads)

const pattern PATTERN_THREADS = {
    .name = "threads", .title = "The thread executor", .group = GROUP_OFF_LOOP, .await = run_threads, SOURCE_OF(threads),
    .probed = true,
    .shows = "Six computations of 40 ms go through an executor: as many run at once as there are processors, the rest wait in"
             " order. The loop goes on meanwhile, as the first line shows. In threads mode each runs where it is asked for.",
};
