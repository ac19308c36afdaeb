/* processes.c - work in another process: it may crash, leak, or never end, and the server is as it was. */
#include "handlers/jobs.h"
#include "pattern.h"

#include <ctype.h>

SHOW_FROM(process)
static int shout(text in, buffer *out)       /* in the worker process */
{
    for (size_t i = 0; i < in.length; i++) {
        const char c = (char)toupper((unsigned char)in.at[i]);
        buffer_text(out, (text){ &c, 1 });
    }
    return 0;
}

const process_job JOB_SHOUT = { "shout", shout };

static async int run_process(run *r)
{
    static const text hello = { "hello", 5 }, nothing = { "", 0 };
    arena *a = request_arena(r->req);
    text shouted = { "", 0 }, none = shouted, again = shouted;
    int outcomes[4];

    int err = await(all_settled(outcomes,
        step(r, "works", in_process(&JOB_SHOUT, hello, 0, a, &shouted)),
        step(r, "crashes", in_process(&JOB_CRASH, nothing, 0, a, &none)),
        step(r, "leaks", in_process(&JOB_LEAK, nothing, 0, a, &none)),
        step(r, "never ends", in_process(&JOB_SPIN, nothing, 150, a, &none))));
    if (!err)
        err = await(step(r, "works, as before", in_process(&JOB_SHOUT, hello, 0, a, &again)));
    if (err)
        return err;

    figure_is(r, "jobs that worked", 1 + (outcomes[0] == 0), "");
    figure_is(r, "that died", (outcomes[1] == PROCESS_EDIED) + (outcomes[2] == PROCESS_EDIED), "");
    figure_is(r, "that were out of time", outcomes[3] == UV_ETIMEDOUT, "");
    return 0;
}
SHOW_TO(process)

const pattern PATTERN_PROCESSES = {
    .name = "processes", .title = "Processes that crash, leak, or never end", .group = GROUP_OFF_LOOP, .await = run_process,
    SOURCE_OF(process),
    .shows = "One job works, one dies of a wild pointer, one takes memory until its process has no more ([processes] memory),"
             " and one would never end: its process is killed when its 150 ms are over. Each gets its own outcome, the dead"
             " processes are replaced, and the server is as it was: the last job works as the first one did. In threads mode"
             " they go one after the other.",
};
