/* unawaited.c - see unawaited.h. */
#include "unawaited.h"
#include "server/base/log.h"
#include "server/base/memory.h"

#include <assert.h>
#include <stdatomic.h>

struct drain { scope *scope; promise *whole; int left; };

static _Thread_local pool drains = POOL(struct drain);

static void log_plainly(const promise_origin *from, const char *scope)
{
    log_warning("%s() was called by %s and never awaited (%s)", from->maker, scope, label_name(from->label));
}

static unawaited_report_fn *_Atomic report_to = log_plainly;
static atomic_uint_fast64_t         count;

uint64_t unawaited_count(void)                        { return atomic_load(&count); }
void unawaited_report_to(unawaited_report_fn *report) { atomic_store(&report_to, report); }

static void report(const promise *p, const scope *s)
{
    const promise_origin from = promise_origin_of(p);
    unawaited_report_fn *const to = atomic_load(&report_to);
    atomic_fetch_add(&count, 1);
    to(&from, s->name);
}

static void one_drained(int err, void *arg);

/* To cancel may make further ones. */
static void cancel_all(struct drain *d)
{
    scope *const before = scope_enter(d->scope);
    int err;
    for (promise *p; (p = promise_kept_in(d->scope));) {
        report(p, d->scope);
        if (promise_take_if_settled(p, &err))
            continue;
        d->left++;
        when_settled(p, one_drained, d);
        promise_cancel(p);
    }
    scope_enter(before);
}

static void one_drained(int err, void *arg)
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

promise *unawaited_drain(scope *s)
{
    assert(s != &scope_thread);
    struct drain *d = pool_get(&drains);
    *d = (struct drain){ .scope = s };
    cancel_all(d);
    scope *const before = scope_enter(NULL); /* this one is not of s */
    promise *whole = d->whole = promise_new(NULL, NULL);
    scope_enter(before);
    if (d->left == 0) {
        promise_settle(whole, 0);
        pool_put(&drains, d);
    }
    return whole;
}

void unawaited_thread_end(void)
{
    for (promise *p; (p = promise_kept_in(&scope_thread));) {
        report(p, &scope_thread);
        promise_abandon(p);
    }
    scope_end(&scope_thread);
}
