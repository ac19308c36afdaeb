/* sequential_gather_pipeline.c - the same queries one after the other, side by side, and in one write. */
#include "handlers/users/page.h"
#include "pattern.h"

SHOW_FROM(ways)
enum { QUICK = 24 };

static int64_t since(uint64_t begun) { return (int64_t)(uv_hrtime() - begun) / 1000; }

static async int run_ways(run *r)
{
    rows    *user = run_alloc(r, QUICK * sizeof *user);
    promise *quick[QUICK];
    int      err = 0;

    uint64_t begun = uv_hrtime();
    for (int i = 0; !err && i < 3; i++)
        err = await(step(r, "one after the other", slow_query(r, 30)));
    figure_is(r, "three slow ones, one after the other", since(begun) / 1000, "ms");

    begun = uv_hrtime();
    if (!err)
        err = await(gather(step(r, "side by side", slow_query(r, 30)),
                           step(r, "side by side", slow_query(r, 30)),
                           step(r, "side by side", slow_query(r, 30))));
    figure_is(r, "the same side by side", since(begun) / 1000, "ms");

    begun = uv_hrtime();
    for (int i = 0; !err && i < QUICK; i++)
        err = await(query(r->req, &user[i], &USER_BY_ID, integer(i + 1)));
    figure_is(r, "24 quick ones, one after the other", since(begun), "us");

    begun = uv_hrtime();
    for (int i = 0; i < QUICK; i++)
        quick[i] = query(r->req, &user[i], &USER_BY_ID, integer(i + 1));
    const int failed = await(promise_gather(quick, QUICK));  /* they leave in one write */
    figure_is(r, "the same in a pipeline", since(begun), "us");
    return err ? err : failed;
}
SHOW_TO(ways)

const pattern PATTERN_SEQUENTIAL_GATHER_PIPELINE = {
    .name = "sequential-gather-pipeline", .title = "One by one, side by side, in a pipeline", .group = GROUP_TOGETHER,
    .await = run_ways, SOURCE_OF(ways),
    .shows = "Three slow queries cost the sum when each is awaited before the next begins, and the longest when they are"
             " gathered, for each has a connection of its own. Quick ones need no more connections: what is asked in one"
             " turn of the loop leaves in one write, and saves the ways there and back. SQLite has no way to save; it"
             " answers them from several threads.",
};
