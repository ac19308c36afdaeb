/* pitfall_cpu.c - a computation on the loop, and the same in a thread. */
#include "pattern.h"

SHOW_FROM(bad)
static async int run_cpu_bad(run *r)
{
    mark(r, "computes");
    spin_for(200);                           /* a large page, a password's hash */
    mark(r, "goes on");
    return 0;
}
SHOW_TO(bad)

SHOW_FROM(good)
static int compute(void *arg)
{
    track *t = track_begin(arg, "computes, in a thread");
    spin_for(200);
    track_end(t, 0);
    return 0;
}

static async int run_cpu_good(run *r)
{
    return await(in_thread(compute, run_track(r)));
}
SHOW_TO(good)

static const char WHY_NOT[] = "A blocking thread computes for one client; the kernel sees to it that others get their share.";

const pattern PATTERN_CPU_BAD = {
    .name = "cpu-bad", .title = "Pitfall: a computation on the loop", .group = GROUP_PITFALLS, .await = run_cpu_bad,
    SOURCE_OF(bad),
    .not_in_threads = WHY_NOT, .heavy = true, .probed = true, .twin = "cpu-good",
    .shows = "Nothing here waits, and yet everybody else does. A task gives way only where it awaits: 200 ms of computation"
             " are 200 ms that every other request of this loop loses.",
};

const pattern PATTERN_CPU_GOOD = {
    .name = "cpu-good", .title = "The way around: a computation in a thread", .group = GROUP_PITFALLS, .await = run_cpu_good,
    SOURCE_OF(good), .not_in_threads = WHY_NOT, .probed = true, .twin = "cpu-bad",
    .shows = "in_thread takes it off the loop. The task waits for it as for anything else, and others get their turn.",
};
