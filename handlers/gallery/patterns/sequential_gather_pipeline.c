/* sequential_gather_pipeline.c - the same queries one after the other, side by side, and in one write. */
#include "handlers/users/page.h"
#include "pattern.h"

/* A task of that name, so that it has a line of its own, and how long it takes. */
static async int timed(run *r, const char *name, int (*fn)(void *arg), void *arg)
{
    const uint64_t begun = uv_hrtime();
    const int err = await(task_start(name, fn, arg));
    figure_is(r, name, (int64_t)(uv_hrtime() - begun) / 1000, "us");
    return err;
}

SHOW_FROM(ways)
enum { QUICK = 24 };

typedef struct ways { run *r; rows user[QUICK]; } ways;

static async int in_turn(void *arg)
{
    ways *w = arg;
    int err = 0;
    for (int i = 0; !err && i < 3; i++)
        err = await(step(w->r, "one after the other", slow_query(w->r, 30)));
    return err;
}

static async int gathered(void *arg)
{
    ways *w = arg;
    return await(gather(
        step(w->r, "side by side", slow_query(w->r, 30)),
        step(w->r, "side by side", slow_query(w->r, 30)),
        step(w->r, "side by side", slow_query(w->r, 30))));
}

static async int quick_in_turn(void *arg)
{
    ways *w = arg;
    int err = 0;
    for (int i = 0; !err && i < QUICK; i++)
        err = await(query(w->r->req, &w->user[i], &USER_BY_ID, integer(i + 1)));
    return err;
}

static async int in_a_pipeline(void *arg)
{
    ways *w = arg;
    promise *quick[QUICK];
    for (int i = 0; i < QUICK; i++)
        quick[i] = query(w->r->req, &w->user[i], &USER_BY_ID, integer(i + 1));
    return await(promise_gather(quick, QUICK));  /* in one write */
}

static async int run_ways(run *r)
{
    ways *w = run_alloc(r, sizeof *w);
    w->r = r;
    int   err = timed(r, "warming up: a pipeline", in_a_pipeline, w);
    if (!err)
        err = timed(r, "3 slow ones, in turn", in_turn, w);
    if (!err)
        err = timed(r, "3 slow ones, gathered", gathered, w);
    if (!err)
        err = timed(r, "24 quick ones, in turn", quick_in_turn, w);
    return err ? err : timed(r, "24 quick ones, a pipeline", in_a_pipeline, w);
}
SHOW_TO(ways)

const pattern PATTERN_SEQUENTIAL_GATHER_PIPELINE = {
    .name = "sequential-gather-pipeline", .title = "One by one, side by side, in a pipeline", .group = GROUP_TOGETHER,
    .await = run_ways, SOURCE_OF(ways),
    .shows = "Three slow queries cost the sum when each is awaited before the next begins, and the longest when they are"
             " gathered and each has a connection of its own; on SQLite as many run at once as it has readers. Quick ones need"
             " no more connections: what is asked in one turn of the loop leaves in one write, and saves the ways there and"
             " back. SQLite has no way to save; its threads get at once what is asked in one turn, and it shares transactions."
             " The first pipeline warms up, and is not compared: after a start it opens the connections, and has the statement"
             " prepared. In threads mode all of it comes in turn.",
};
