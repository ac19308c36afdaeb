/* owner.c - see owner.h. */
#include "owner.h"
#include "server/diagnose/forgotten.h"
#include "server/base/memory.h"

#include <assert.h>

_Thread_local owner *owner_entered;
_Thread_local owner  owner_thread = { .name = "main" };

struct drain { owner *owner; promise *whole; int left; };

static _Thread_local pool refs = POOL(owner_ref), drains = POOL(struct drain);

owner_ref *owner_ref_new(owner *o)
{
    o->ref = pool_get(&refs);
    *o->ref = (owner_ref){ .owner = o, .count = 1 };
    return o->ref;
}

void owner_ref_free(owner_ref *r) { pool_put(&refs, r); }

static void report(const owner *o)
{
    const promise_origin from = promise_origin_of(o->first);
    forgotten_note(&from, o->name);
}

static void one_settled(int err, void *arg);

/* To cancel may make further ones. */
static void cancel_all(struct drain *d)
{
    owner *const before = owner_enter(d->owner);
    int err;
    for (promise *p; (p = d->owner->first);) {
        report(d->owner);
        if (promise_take_if_settled(p, &err))
            continue;
        d->left++;
        when_settled(p, one_settled, d);
        promise_cancel(p);
    }
    owner_enter(before);
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

promise *owner_drain(owner *o)
{
    assert(o != &owner_thread);
    struct drain *d = pool_get(&drains);
    *d = (struct drain){ .owner = o };
    cancel_all(d);
    owner *const before = owner_enter(NULL); /* this one is not o's */
    promise *whole = d->whole = promise_new(NULL, NULL);
    owner_enter(before);
    if (d->left == 0) {
        promise_settle(whole, 0);
        pool_put(&drains, d);
    }
    return whole;
}

void owner_end_slowly(owner *o)
{
    assert((o == &owner_thread || !o->first) && "drained before its end");
    while (o->first) {
        report(o);
        promise_abandon(o->first);
    }
    if (owner_entered == o)
        owner_entered = NULL;
    if (o->ref) {
        o->ref->owner = NULL;
        owner_ref_put(o->ref);
        o->ref = NULL;
    }
}
