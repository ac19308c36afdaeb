/* hundred_sleepers.c - a hundred tasks that sleep, on one thread, in one second. */
#include "pattern.h"

SHOW_FROM(hundred)
enum { HUNDRED = 100 };

static async int sleeper(void *arg)
{
    (void)arg;
    return await(sleep_for(1000));
}

static async int run_hundred(run *r)
{
    promise *all[HUNDRED];
    for (int i = 0; i < HUNDRED; i++)
        all[i] = task_start("sleeper", sleeper, NULL);
    figure_is(r, "sleepers", HUNDRED, "");
    figure_is(r, "slept, all together", HUNDRED, "s");
    return await(promise_gather(all, HUNDRED));
}
SHOW_TO(hundred)

const pattern PATTERN_HUNDRED_SLEEPERS = {
    .name = "hundred-sleepers", .title = "A hundred sleepers in one second", .group = GROUP_MANY, .await = run_hundred,
    SOURCE_OF(hundred),
    .not_in_threads = "One thread that sleeps a hundred times for a second needs a hundred seconds.",
    .shows = "Waiting costs no time of anybody else: a hundred tasks sleep for a second each, and all are done after one.",
};
