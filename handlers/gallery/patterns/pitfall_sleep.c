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

static const char WHY_NOT[] = "A blocking thread serves one client, and may well sleep: it holds up nobody else.";

const pattern PATTERN_SLEEP_BAD = {
    .name = "sleep-bad", .title = "Pitfall: a sleep that blocks", .group = GROUP_PITFALLS, .await = run_sleep_bad, SOURCE_OF(bad),
    .not_in_threads = WHY_NOT, .heavy = true, .probed = true, .twin = "sleep-good",
    .shows = "One call of nanosleep, or of any library that waits by itself, and everybody on this loop waits: whoever asked"
             " for a millisecond gets two hundred. The log of the server names the place.",
};

const pattern PATTERN_SLEEP_GOOD = {
    .name = "sleep-good", .title = "The way around: a sleep that is awaited", .group = GROUP_PITFALLS, .await = run_sleep_good,
    SOURCE_OF(good), .not_in_threads = WHY_NOT, .probed = true, .twin = "sleep-bad",
    .shows = "The same time, and nobody else notices.",
};
