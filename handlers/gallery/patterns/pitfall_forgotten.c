/* pitfall_forgotten.c - a promise that is kept and never awaited, and one that is. */
#include "pattern.h"

static async int print_receipt(void *arg)
{
    (void)arg;
    const int err = await(sleep_for(60));
    return err ? err : UV_EIO;               /* the printer is out of paper */
}

SHOW_FROM(bad)
struct order { promise *receipt; };

static async int run_forgotten_bad(run *r)
{
    struct order *o = run_alloc(r, sizeof *o);
    o->receipt = task_start("print the receipt", print_receipt, NULL);
    mark(r, "confirmed to the customer");    /* who will wait for a receipt for ever */
    return await(sleep_for(20));
}
SHOW_TO(bad)

SHOW_FROM(good)
static async int run_forgotten_good(run *r)
{
    promise *receipt = task_start("print the receipt", print_receipt, NULL);
    int err = await(gather(receipt, sleep_for(20)));
    if (err)
        mark(r, "the customer is told that there is no receipt");
    return 0;
}
SHOW_TO(good)

static const char WHY_NOT[] = "A blocking thread runs a task when it awaits something: one that is forgotten begins too late.";

const pattern PATTERN_FORGOTTEN_BAD = {
    .name = "forgotten-bad", .title = "Pitfall: a forgotten await", .group = GROUP_PITFALLS, .await = run_forgotten_bad,
    SOURCE_OF(bad), .not_in_threads = WHY_NOT, .twin = "forgotten-good",
    .shows = "To drop a promise does not compile. One that is kept in a variable slips through: when the task that started"
             " it ends, it is cancelled in the middle of its work, and nobody hears of it. The server's log names the place"
             " where such a promise was made.",
};

const pattern PATTERN_FORGOTTEN_GOOD = {
    .name = "forgotten-good", .title = "The way around: what is started is awaited", .group = GROUP_PITFALLS,
    .await = run_forgotten_good, SOURCE_OF(good), .not_in_threads = WHY_NOT, .twin = "forgotten-bad",
    .shows = "Whoever starts something awaits it, and hears of its failure; or gives it to a background group, which answers"
             " for it instead.",
};
