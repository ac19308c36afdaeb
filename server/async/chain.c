/* chain.c - see chain.h. */
#include "chain.h"
#include "server/base/memory.h"

#include <uv.h>

struct step {
    promise *whole, *now;                    /* now: what a cancel reaches; NULL if nothing can be */
    union {
        promise *(*next)(void *arg);         /* of then and finally */
        promise *(*handle)(int err, void *arg);              /* of catch */
    };
    void     *arg;
    int       outcome;                       /* of p, once it has settled */
    enum { THEN, CATCH, FINALLY } kind : 8;
    bool      cancelled;
};

static _Thread_local pool steps = POOL(struct step);

static void end(struct step *s, int err)
{
    if (s->kind == FINALLY && s->outcome)
        err = s->outcome;
    promise_settle(s->whole, err);
    pool_put(&steps, s);
}

static void next_settled(int err, void *arg) { end(arg, err); }

/* NULL if the outcome of p is not for this step. */
static promise *begin(struct step *s)
{
    const bool failed = s->outcome;
    if (s->kind == FINALLY)
        return s->next(s->arg);
    if (s->cancelled || failed != (s->kind == CATCH))
        return NULL;
    return failed ? s->handle(s->outcome, s->arg) : s->next(s->arg);
}

static void p_settled(int err, void *arg)
{
    struct step *s = arg;
    s->now = NULL;
    s->outcome = err;
    promise *next = begin(s);
    if (!next) {
        end(s, err || s->kind == CATCH || !s->cancelled ? err : UV_ECANCELED);
        return;
    }
    if (promise_take_if_settled(next, &err)) {
        end(s, err);
        return;
    }
    if (s->kind != FINALLY) {
        s->now = next;
        if (s->cancelled)                    /* by the step itself */
            promise_cancel(next);
    }
    when_settled(next, next_settled, s);
}

static void cancel_step(promise *p, void *arg)
{
    struct step *s = arg;
    (void)p;
    s->cancelled = true;
    if (s->now)
        promise_cancel(s->now);
}

static promise *chain(promise *p, struct step made)
{
    struct step *s = pool_get(&steps);
    *s = made;
    s->now = p;
    s->whole = promise_new(cancel_step, s);
    when_settled(p, p_settled, s);
    return s->whole;
}

promise *then(promise *p, promise *(*next)(void *), void *arg)
{
    return promise_named(chain(p, (struct step){ .kind = THEN, .next = next, .arg = arg }));
}

promise *catch(promise *p, promise *(*handle)(int, void *), void *arg)
{
    return promise_named(chain(p, (struct step){ .kind = CATCH, .handle = handle, .arg = arg }));
}

promise *finally(promise *p, promise *(*tidy)(void *), void *arg)
{
    return promise_named(chain(p, (struct step){ .kind = FINALLY, .next = tidy, .arg = arg }));
}
