/* all.c - gather: start everything, wait once. */
#include "handlers/users/page.h"
#include "pattern.h"

static const choices FAILS = {
    .key = "fail", .label = "What fails", .of = { { "nothing", "nothing" }, { "posts", "the posts: no such table" } },
};

static const statement POSTS_NOWHERE = {
    .name = "pattern_posts_nowhere", .sql = "select id from posts_of_nobody where user_id = $1 and id > $2", .reads = true,
};

SHOW_FROM(all)
static int compute(void *arg)
{
    (void)arg;
    spin_for(15);
    return 0;
}

static async int run_all(run *r)
{
    const statement *find = r->chosen == 0 ? &POSTS_BY_USER : &POSTS_NOWHERE;
    rows user, posts;
    int err = await(gather(
        step(r, "the user", query(r->req, &user, &USER_BY_ID, integer(42))),
        step(r, "the posts", query(r->req, &posts, find, integer(42), integer(0))),
        step(r, "a slow query", slow_query(r, 60)),
        step(r, "a computation, in a thread", in_thread(compute, NULL))));
    if (err)
        return err;                          /* when all have ended */

    figure_is(r, "posts", posts.count, "");
    return 0;
}
SHOW_TO(all)

const pattern PATTERN_ALL = {
    .name = "all", .title = "All of them: gather", .group = GROUP_TOGETHER, .await = run_all, SOURCE_OF(all),
    .choices = &FAILS,
    .shows = "Four things are under way at once, and one await waits for all: it takes as long as the slowest, not the sum."
             " Let the posts fail: gather cancels the others, and returns when the last has let go of what it was given. The"
             " database stops its slow query; a thread that computes already cannot be stopped, and is waited for. That is"
             " why &user may be a local. In a blocking thread they come one after the other.",
};
