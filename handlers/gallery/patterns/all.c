/* all.c - gather: start everything, wait once. */
#include "handlers/users/page.h"
#include "pattern.h"

SHOW_FROM(all)
static int compute(void *arg)
{
    (void)arg;
    spin_for(15);
    return 0;
}

static async int run_all(run *r)
{
    rows user, posts;
    int err = await(gather(step(r, "the user", query(r->req, &user, &USER_BY_ID, integer(42))),
                           step(r, "the posts", query(r->req, &posts, &POSTS_BY_USER, integer(42), integer(0))),
                           step(r, "a slow query", slow_query(r, 30)),
                           step(r, "a computation, in a thread", in_thread(compute, NULL))));
    if (err)
        return err;                          /* the first error, after all others have ended */

    figure_is(r, "posts", posts.count, "");
    return 0;
}
SHOW_TO(all)

const pattern PATTERN_ALL = {
    .name = "all", .title = "All of them: gather", .group = GROUP_TOGETHER, .await = run_all, SOURCE_OF(all),
    .shows = "Four things are under way at once, and one await waits for all: it takes as long as the slowest, not the sum."
             " Should one fail, the others are cancelled, and gather returns when the last has let go of what it was"
             " given: that is why &user may be a local. In a blocking thread they come one after the other.",
};
