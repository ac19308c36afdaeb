/* all_settled.c - every outcome, good or bad. */
#include "pattern.h"

SHOW_FROM(settled)
struct letter { int ms, outcome; };

static async int deliver(void *arg)
{
    const struct letter *l = arg;
    int err = await(sleep_for((uint64_t)l->ms));
    return err ? err : l->outcome;
}

static async int run_settled(run *r)
{
    struct letter first = { 10, 0 }, second = { 20, UV_ENOENT }, third = { 30, UV_EIO }, fourth = { 40, 0 };
    int outcomes[4], delivered = 0;

    int err = await(all_settled(outcomes, task_start("arrives", deliver, &first),
                                          task_start("nobody lives there", deliver, &second),
                                          task_start("lost on its way", deliver, &third),
                                          task_start("arrives, late", deliver, &fourth)));
    for (int i = 0; i < 4; i++)
        delivered += outcomes[i] == 0;
    figure_is(r, "delivered", delivered, "of 4");
    return err;
}
SHOW_TO(settled)

const pattern PATTERN_ALL_SETTLED = {
    .name = "all-settled", .title = "All settled: every outcome, good or bad", .group = GROUP_TOGETHER, .await = run_settled,
    SOURCE_OF(settled),
    .shows = "Where one failure is no reason to stop the others: each part goes on to its end, and its outcome is kept."
             " The await itself succeeds.",
};
