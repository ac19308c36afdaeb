/* chain.c - see chain.h. */
#include "chain.h"
#include "server/base/observe/layout.h"

#include <uv.h>

/* In the room of the promise that is the result. */
struct step {
    promise *now;                            /* what a cancel reaches; NULL if nothing can be */
    union {
        promise *(*next)(void *arg);         /* of then and finally */
        promise *(*handle)(int err, void *arg);              /* of catch */
    };
    void     *arg;
    int       outcome;                       /* of p, once it has settled */
    enum { THEN, CATCH, FINALLY } kind : 8;
    bool      cancelled;
};

_Static_assert(sizeof(struct step) <= PROMISE_ROOM, "a step is a promise with what comes next");

static void step_end(struct step *s, int err)
{
    promise_settle(promise_of_room(s), s->kind == FINALLY && s->outcome ? s->outcome : err);
}

static void step_on_next_settled(int err, void *arg) { step_end(arg, err); }

/* NULL if the outcome of p is not for this step. */
static promise *step_begin(struct step *s)
{
    const bool failed = s->outcome;
    if (s->kind == FINALLY)
        return s->next(s->arg);
    if (s->cancelled || failed != (s->kind == CATCH))
        return NULL;
    return failed ? s->handle(s->outcome, s->arg) : s->next(s->arg);
}

static void step_on_settled(int err, void *arg)
{
    struct step *s = arg;
    s->now = NULL;
    s->outcome = err;
    promise *next = step_begin(s);
    if (!next) {
        step_end(s, err || s->kind == CATCH || !s->cancelled ? err : UV_ECANCELED);
        return;
    }
    if (promise_take_if_settled(next, &err)) {
        step_end(s, err);
        return;
    }
    if (s->kind != FINALLY) {
        s->now = next;
        if (s->cancelled)                    /* by the step itself */
            promise_cancel(next);
    }
    when_settled(next, step_on_next_settled, s);
}

static void step_on_cancel(promise *p, void *arg)
{
    struct step *s = arg;
    (void)p;
    s->cancelled = true;
    if (s->now)
        promise_cancel(s->now);
}

static const layout_entry STEP_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("follow.step.cancel", step_on_cancel),
    LAYOUT_FIELD("follow.step.promise", struct step, now),
};

static promise *step_new(promise *p, struct step made)
{
    promise *whole = promise_new_with_room(step_on_cancel);
    struct step *s = promise_room(whole);
    *s = made;
    s->now = p;
    when_settled(p, step_on_settled, s);
    return whole;
}

promise *then(promise *p, promise *(*next)(void *), void *arg)
{
    return promise_named(step_new(p, (struct step){ .kind = THEN, .next = next, .arg = arg }));
}

promise *catch(promise *p, promise *(*handle)(int, void *), void *arg)
{
    return promise_named(step_new(p, (struct step){ .kind = CATCH, .handle = handle, .arg = arg }));
}

promise *finally(promise *p, promise *(*tidy)(void *), void *arg)
{
    return promise_named(step_new(p, (struct step){ .kind = FINALLY, .next = tidy, .arg = arg }));
}
