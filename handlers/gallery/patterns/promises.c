/* promises.c - steps in a chain; an error in any of them goes to the one handler at the end. */
#include "handlers/users/page.h"
#include "pattern.h"
#include "server/async/chain.h"

SHOW_FROM(chain)
struct visit { run *r; rows user, posts; };

static promise *find_posts(void *arg)
{
    struct visit *v = arg;
    return step(v->r, "posts", query(v->r->req, &v->posts, &POSTS_BY_USER, integer(42), integer(0)));
}

static promise *fail(void *arg)              /* what goes wrong, goes wrong here */
{
    struct visit *v = arg;
    return step(v->r, "a step that fails", promise_settled(UV_EIO));
}

static promise *congratulate(void *arg)      /* skipped */
{
    struct visit *v = arg;
    mark(v->r, "this step is never reached");
    return promise_settled(0);
}

static promise *apologize(int err, void *arg)
{
    struct visit *v = arg;
    mark(v->r, uv_err_name(err));
    return step(v->r, "caught, and dealt with", sleep_for(10));
}

static promise *put_away(void *arg)
{
    struct visit *v = arg;
    mark(v->r, "put away, whatever has happened");
    return promise_settled(0);
}

static promise *run_chain(run *r)
{
    struct visit *v = run_alloc(r, sizeof *v);
    v->r = r;
    promise *p = step(r, "user", query(r->req, &v->user, &USER_BY_ID, integer(42)));
    p = then(p, find_posts, v);
    p = then(p, fail, v);
    p = then(p, congratulate, v);
    p = catch(p, apologize, v);
    return finally(p, put_away, v);
}
SHOW_TO(chain)

const pattern PATTERN_PROMISES = {
    .name = "promises", .title = "A chain of promises, with one catch", .group = GROUP_WRITTEN, .promise = run_chain,
    SOURCE_OF(chain),
    .shows = "Each step is a function that starts something and returns its promise. The third fails: the steps after it"
             " are skipped, and the error arrives at the one place that deals with it. What stands in finally happens"
             " either way.",
};
