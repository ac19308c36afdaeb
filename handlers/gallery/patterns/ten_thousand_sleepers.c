/* ten_thousand_sleepers.c - ten thousand tasks that sleep, and the memory that they take. */
#include "pattern.h"
#include "server/base/memory.h"

/* The sanitizers know of 8,128 stacks, at most. */
static int ten_thousand(void) { return RESERVE_NOTHING ? 1000 : 10000; }

SHOW_FROM(thousands)
struct crowd { run *r; int asleep; };

static async int sleep_in_crowd(void *arg)
{
    struct crowd *c = arg;
    if (++c->asleep % 100 == 0)
        plot(c->r, "asleep", c->asleep);
    const int err = await(sleep_for(500));
    if (--c->asleep % 100 == 0)
        plot(c->r, "asleep", c->asleep);
    return err;
}

static int64_t resident(void)                /* KiB */
{
    size_t bytes = 0;
    uv_resident_set_memory(&bytes);
    return (int64_t)(bytes / 1024);
}

static async int run_thousands(run *r)
{
    const int many = ten_thousand();
    struct crowd crowd = { r, 0 };
    promise **all = run_alloc(r, (size_t)many * sizeof *all);

    const int64_t before = resident();
    for (int i = 0; i < many; i++)
        all[i] = task_start("sleeper", sleep_in_crowd, &crowd);
    promise *done = promise_gather(all, many);
    int err = await(sleep_for(200));         /* now all of them sleep */
    const int64_t meanwhile = resident();
    const int failed = await(done);

    figure_is(r, "sleepers", many, "");
    figure_is(r, "memory before", before, "KiB");
    figure_is(r, "while all sleep", meanwhile, "KiB");
    figure_is(r, "for each", (meanwhile - before) * 1024 / many, "bytes");
    figure_is(r, "after", resident(), "KiB");
    return err ? err : failed;
}
SHOW_TO(thousands)

const pattern PATTERN_TEN_THOUSAND_SLEEPERS = {
    .name = "ten-thousand-sleepers", .title = "Ten thousand sleepers", .group = GROUP_MANY, .await = run_thousands,
    SOURCE_OF(thousands), .heavy = true, .probed = true,
    .not_in_threads = "Ten thousand sleeps of one thread take their sum; ten thousand threads are what this mode is about,"
                      " and make loadtest measures them.",
    .shows = "A task that waits is a stack of which a page or two are touched. When all have ended, most of that memory goes"
             " back. Waking ten thousand in one turn of the loop is felt by everybody else; a moment later it is over.",
};
