/* promise.c - see promise.h. A promise has at most one follower, because it has one owner. */
#include "promise.h"
#include "loop.h"
#include "scope.h"
#include "server/base/memory.h"

#include <assert.h>

struct promise {
    union {
        ready   node;                        /* once given on: how the follower gets scheduled; must be first */
        struct { promise *next, **link; };   /* until then: among those of its owner */
    };
    int                err;
    label              label;
    bool               settled;
    enum { KEPT, GIVEN_ON, ABANDONED } state : 8;
    scope_ref         *of;                   /* on whose behalf it was made */
    promise_cancel_fn *cancel;               /* NULL once used */
    void              *cancel_arg;
    void             (*done)(int err, void *arg);
    void              *done_arg;
    const char        *maker;
    const void        *place;
};

static _Thread_local pool promises = POOL(promise);

static void free_promise(promise *p)
{
    scope_ref_put(p->of);
    pool_put(&promises, p);
}

static void follow(ready *node)
{
    promise *p = (promise *)node;
    void (*done)(int, void *) = p->done;
    void *arg = p->done_arg;
    const int err = p->err;
    const label of_thread = scope_thread.label;
    scope *const before = scope_enter(p->of ? p->of->scope : NULL);

    scope_thread.label = p->label;
    free_promise(p);
    done(err, arg);
    scope_thread.label = of_thread;
    scope_enter(before);
}

promise *promise_make(promise_cancel_fn *cancel, void *arg, const char *maker, const void *place)
{
    promise *p = pool_get(&promises);
    scope *o = scope_here();
    *p = (promise){ .next = o->first, .link = &o->first, .label = o->label, .cancel = cancel, .cancel_arg = arg,
                    .of = scope_ref_get(o), .maker = maker, .place = place };
    if (p->next)
        p->next->link = &p->next;
    o->first = p;
    return p;
}

promise *promise_make_settled(int err, const char *maker, const void *place)
{
    promise *p = promise_make(NULL, NULL, maker, place);
    p->settled = true;
    p->err = err;
    return p;
}

promise *promise_rename(promise *p, const char *maker, const void *place)
{
    p->maker = maker;
    p->place = place;
    return p;
}

promise_origin promise_origin_of(const promise *p) { return (promise_origin){ p->maker, p->place, p->label }; }

static void leave_scope(promise *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
}

void promise_abandon(promise *p)
{
    assert(p->state == KEPT);
    leave_scope(p);
    p->state = ABANDONED;
    if (p->settled)
        free_promise(p);
}

void promise_settle(promise *p, int err)
{
    assert(!p->settled && err <= 0);
    p->settled = true;
    p->err = err;
    if (p->state == GIVEN_ON)
        loop_ready(&p->node);
    else if (p->state == ABANDONED)
        free_promise(p);
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
    assert(p->state != GIVEN_ON && "a promise is given on exactly once");
    if (p->state == KEPT)
        leave_scope(p);
    p->state = GIVEN_ON;
    p->node.run = follow;
    p->done = done;
    p->done_arg = arg;
    if (p->settled)
        loop_ready(&p->node);
}

bool promise_take_if_settled(promise *p, int *err)
{
    if (!p->settled)
        return false;
    assert(p->state == KEPT);
    leave_scope(p);
    *err = p->err;
    free_promise(p);
    return true;
}
