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

static const pattern BAD = {
    .name = "cpu-bad", .title = "Computed on the loop", .await = run_cpu_bad, SOURCE_OF(bad), .visited = true,
};

static const pattern GOOD = {
    .name = "cpu-good", .title = "Computed in a thread", .await = run_cpu_good, SOURCE_OF(good), .visited = true,
};

const pattern PATTERN_PITFALL_CPU = {
    .name = "pitfall-cpu", .title = "Pitfall: a computation on the loop", .group = GROUP_PITFALLS, .twins = { &BAD, &GOOD },
    .heavy = true, .file = __FILE__, .source = source_bad,
    .shows = "Nothing here waits, and yet everybody else does. A task gives way only where it awaits: 200 ms of computation are"
             " 200 ms that every other request of this loop loses. in_thread takes it off the loop; the task waits for it as for"
             " anything else. In threads mode the kernel gives each thread its share, and both are alike.",
};
