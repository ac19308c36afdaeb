/* timing.c - see timing.h.
 *
 * with_timeout is not a race: a race that the clock wins would forget a success that arrived in
 * the same instant, and with it the permit or connection that it stood for. */
#include "timing.h"
#include "server/base/deadline.h"
#include "timer.h"
#include "loop.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "server/base/errors.h"
#include "server/base/observe/layout.h"
#include "server/base/list.h"

_Static_assert(sizeof(timer) <= PROMISE_ROOM, "a sleep is a promise with its timer");

static void sleep_on_timer(timer *t) { promise_settle(promise_of_room(t), 0); }

static void sleep_on_cancel(promise *p, void *arg)
{
    timer_stop(arg);
    promise_settle(p, UV_ECANCELED);
}

promise *sleep_for(uint64_t ms)
{
    if (!loop_here()) {
        const uint64_t until = deadline_in(ms);
        const int err = blocking_wait(-1, 0, until);
        return promise_settled(err == UV_ETIMEDOUT && until <= blocking_deadline() ? 0 : err);
    }
    promise *p = promise_new_with_room(sleep_on_cancel);
    timer *t = promise_room(p);
    *t = (timer){ 0 };
    timer_set(t, ms, sleep_on_timer);
    return p;
}

struct deadline {
    timer    timer;
    promise *whole, *work;
    bool     late;
};

static _Thread_local pool deadlines = POOL(struct deadline);

static void deadline_on_settled(int err, void *arg)
{
    struct deadline *d = arg;
    timer_stop(&d->timer);
    promise_settle(d->whole, d->late && err && err != ERR_UNCERTAIN ? UV_ETIMEDOUT : err);
    pool_put(&deadlines, d);
}

static void deadline_on_timer(timer *t)
{
    struct deadline *d = container_of(t, struct deadline, timer);
    d->late = true;
    promise_cancel(d->work);
}

static void deadline_on_cancel(promise *p, void *arg)
{
    struct deadline *d = arg;
    (void)p;
    promise_cancel(d->work);
}

static const layout_entry DEADLINE_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("follow.deadline.cancel", deadline_on_cancel),
    LAYOUT_FIELD("follow.deadline.promise", struct deadline, work),
};

static struct deadline *deadline_new(promise *p)
{
    struct deadline *d = pool_get(&deadlines);
    *d = (struct deadline){ .work = p };
    d->whole = promise_new(deadline_on_cancel, d);
    when_settled(p, deadline_on_settled, d);
    return d;
}

promise *with_timeout(promise *p, uint64_t ms)
{
    int err;
    if (promise_take_if_settled(p, &err))    /* always, in a blocking thread */
        return promise_settled(err);
    struct deadline *d = deadline_new(p);
    timer_set(&d->timer, ms, deadline_on_timer);
    return d->whole;
}

promise *with_deadline(promise *p, uint64_t deadline)
{
    int err;
    if (deadline == NO_DEADLINE)
        return p;
    if (promise_take_if_settled(p, &err))
        return promise_settled(err);
    struct deadline *d = deadline_new(p);
    timer_set_at(&d->timer, deadline, deadline_on_timer);
    return d->whole;
}
