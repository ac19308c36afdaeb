/* promise.c - see promise.h. A promise has at most one follower, because it has one owner. */
#include "promise.h"
#include "loop.h"
#include "server/memory.h"

#include <assert.h>

struct promise {
    ready              node;                 /* how the follower gets scheduled; must be first */
    int                err;
    bool               settled;
    promise_cancel_fn *cancel;               /* NULL once used */
    void              *cancel_arg;
    void             (*done)(int err, void *arg);
    void              *done_arg;
};

static _Thread_local pool promises = POOL(promise);

static void follow(ready *node)
{
    promise *p = (promise *)node;
    void (*done)(int, void *) = p->done;
    void *arg = p->done_arg;
    const int err = p->err;

    pool_put(&promises, p);
    done(err, arg);
}

promise *promise_new(promise_cancel_fn *cancel, void *arg)
{
    promise *p = pool_get(&promises);
    *p = (promise){ .node.run = follow, .cancel = cancel, .cancel_arg = arg };
    return p;
}

promise *promise_settled(int err)
{
    promise *p = promise_new(NULL, NULL);
    p->settled = true;
    p->err = err;
    return p;
}

void promise_settle(promise *p, int err)
{
    assert(!p->settled && err <= 0);
    p->settled = true;
    p->err = err;
    if (p->done)
        loop_ready(&p->node);
}

void promise_cancel(promise *p)
{
    promise_cancel_fn *cancel = p->cancel;
    if (p->settled || !cancel)
        return;
    p->cancel = NULL;
    cancel(p, p->cancel_arg);
}

void when_settled(promise *p, void (*done)(int, void *), void *arg)
{
    assert(!p->done && "a promise is given on exactly once");
    p->done = done;
    p->done_arg = arg;
    if (p->settled)
        loop_ready(&p->node);
}

bool promise_take_if_settled(promise *p, int *err)
{
    if (!p->settled)
        return false;
    *err = p->err;
    pool_put(&promises, p);
    return true;
}
