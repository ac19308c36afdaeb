/* blocking.c - the way most programs wait: a thread that does nothing else meanwhile. */
#include "pattern.h"

SHOW_FROM(blocking)
static int call_that_blocks(void *arg)       /* in a thread of the pool */
{
    track *t = track_begin(arg, "a thread blocks");
    block_for(40);                           /* a database, a file, another server */
    track_end(t, 0);
    return 0;
}

static async int run_blocking(run *r)
{
    promise *calls[8];
    for (int i = 0; i < 8; i++)
        calls[i] = in_thread(call_that_blocks, run_track(r));
    return await(promise_gather(calls, 8));
}
SHOW_TO(blocking)

const pattern PATTERN_BLOCKING = {
    .name = "blocking", .title = "Blocking, in threads", .group = GROUP_WRITTEN, .await = run_blocking, SOURCE_OF(blocking),
    .shows = "A thread that waits can do nothing else. Eight calls of 40 ms each need eight threads at once; with fewer,"
             " the rest wait though no processor is busy. In threads mode there is only the one thread of the"
             " connection, and the calls take the sum of their times.",
};
