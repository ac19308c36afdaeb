/* pitfall_sleep.c - a blocking sleep on the loop, and one that is awaited. */
#include "pattern.h"

SHOW_FROM(bad)
static async int run_sleep_bad(run *r)
{
    mark(r, "blocks");
    block_for(200);                          /* nanosleep: the whole loop sleeps */
    mark(r, "goes on");
    return 0;
}
SHOW_TO(bad)

SHOW_FROM(good)
static async int run_sleep_good(run *r)
{
    (void)r;
    return await(sleep_for(200));            /* the task sleeps, the loop does not */
}
SHOW_TO(good)

static const pattern BAD = {
    .name = "sleep-bad", .title = "The sleep blocks", .await = run_sleep_bad, SOURCE_OF(bad), .visited = true,
};

static const pattern GOOD = {
    .name = "sleep-good", .title = "The sleep is awaited", .await = run_sleep_good, SOURCE_OF(good), .visited = true,
};

const pattern PATTERN_PITFALL_SLEEP = {
    .name = "pitfall-sleep", .title = "Pitfall: a sleep that blocks", .group = GROUP_PITFALLS, .twins = { &BAD, &GOOD },
    .heavy = true, .file = __FILE__, .source = source_bad,
    .shows = "One call of nanosleep, or of any library that waits by itself, and everybody on this loop waits: the log of the"
             " server names the place. Awaited, it takes the same time, and nobody else notices. In threads mode each client has"
             " a thread: there both do no harm.",
};
