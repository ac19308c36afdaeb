/* scope.c - see scope.h. */
#include "scope.h"
#include "server/diagnose/unawaited.h"
#include "server/base/memory.h"

#include <assert.h>

_Thread_local scope *scope_entered;
_Thread_local scope  scope_thread = { .name = "main" };

struct drain { scope *scope; promise *whole; int left; };

static _Thread_local pool refs = POOL(scope_ref), drains = POOL(struct drain);

scope_ref *scope_ref_new(scope *o)
{
    o->ref = pool_get(&refs);
    *o->ref = (scope_ref){ .scope = o, .count = 1 };
    return o->ref;
}

void scope_ref_free(scope_ref *r) { pool_put(&refs, r); }

static void report(const scope *o)
{
    const promise_origin from = promise_origin_of(o->first);
    unawaited_note(&from, o->name);
}

static void one_settled(int err, void *arg);

/* To cancel may make further ones. */
static void cancel_all(struct drain *d)
{
    scope *const before = scope_enter(d->scope);
    int err;
    for (promise *p; (p = d->scope->first);) {
        report(d->scope);
        if (promise_take_if_settled(p, &err))
            continue;
        d->left++;
        when_settled(p, one_settled, d);
        promise_cancel(p);
    }
    scope_enter(before);
}

static void one_settled(int err, void *arg)
{
    struct drain *d = arg;
    (void)err;
    if (--d->left > 0)
        return;
    cancel_all(d);                           /* what followers have made since */
    if (d->left > 0)
        return;
    promise_settle(d->whole, 0);
    pool_put(&drains, d);
}

promise *scope_drain(scope *o)
{
    assert(o != &scope_thread);
    struct drain *d = pool_get(&drains);
    *d = (struct drain){ .scope = o };
    cancel_all(d);
    scope *const before = scope_enter(NULL); /* this one is not o's */
    promise *whole = d->whole = promise_new(NULL, NULL);
    scope_enter(before);
    if (d->left == 0) {
        promise_settle(whole, 0);
        pool_put(&drains, d);
    }
    return whole;
}

void scope_end_slowly(scope *o)
{
    assert((o == &scope_thread || !o->first) && "drained before its end");
    while (o->first) {
        report(o);
        promise_abandon(o->first);
    }
    if (scope_entered == o)
        scope_entered = NULL;
    if (o->ref) {
        o->ref->scope = NULL;
        scope_ref_put(o->ref);
        o->ref = NULL;
    }
}
