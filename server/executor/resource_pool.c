/* resource_pool.c - see resource_pool.h. */
#include "resource_pool.h"
#include "server/base/blocking_wait.h"
#include "server/base/deadline.h"

#include <assert.h>

enum {
    WAITS = 1,                               /* no outcome yet */
    USUAL_IN_A_ROW = 4,
    GIVING_UP = 2000,                        /* so many may in a second, all together: each wakes a thread for nothing */
};

struct waiter {
    struct waiter  *next, *prev;
    struct waiters *queue;                   /* where it stands */
    uv_cond_t       turn;
    uint64_t        since;                   /* nanoseconds of uv_hrtime's clock */
    int             err;
    resource       *resource;
};

void resource_pool_init(resource_pool *p, int most_waiting, codel codel)
{
    *p = (resource_pool){ .most_waiting = most_waiting, .codel = codel };
    uv_mutex_init(&p->lock);
}

void resource_pool_configure(resource_pool *p, int most_waiting, uint64_t target, uint64_t ceiling)
{
    uv_mutex_lock(&p->lock);
    p->most_waiting = most_waiting;
    codel_configure(&p->codel, target, ceiling);
    uv_mutex_unlock(&p->lock);
}

bool resource_pool_at_ceiling(resource_pool *p, uint64_t waited)
{
    uv_mutex_lock(&p->lock);
    const bool met = codel_at_ceiling(&p->codel, waited);
    uv_mutex_unlock(&p->lock);
    return met;
}

void resource_pool_done(resource_pool *p)
{
    assert(p->waiting == 0);
    uv_mutex_destroy(&p->lock);
}

/* From here on to resource_pool_acquire, all with the lock held. */
static void waiter_join(resource_pool *p, struct waiter *w, resource_pool_turn turn)
{
    struct waiters *const queue = w->queue = turn == RESOURCE_POOL_MORE ? &p->more : &p->usual;
    const bool ahead = turn == RESOURCE_POOL_AHEAD;
    w->prev = ahead ? NULL : queue->last;
    w->next = ahead ? queue->first : NULL;
    *(w->prev ? &w->prev->next : &queue->first) = w;
    *(w->next ? &w->next->prev : &queue->last) = w;
    p->waiting++;
    if (ahead)
        p->served = 0;
}

static void waiter_leave(resource_pool *p, struct waiter *w, int err)
{
    *(w->prev ? &w->prev->next : &w->queue->first) = w->next;
    *(w->next ? &w->next->prev : &w->queue->last) = w->prev;
    p->waiting--;
    w->err = err;
}

static struct waiter *waiters_next(resource_pool *p)
{
    const bool more = p->more.first && (!p->usual.first || p->served >= USUAL_IN_A_ROW);
    p->served = more ? 0 : p->served + 1;
    return more ? p->more.first : p->usual.first;
}

/* Signals before the lock is let go: after that, the other thread may be gone, and the condition with it. */
static void waiter_call(resource_pool *p, struct waiter *w, int err, resource *r)
{
    w->resource = r;
    waiter_leave(p, w, err);
    uv_cond_signal(&w->turn);
}

static resource *idle_take(resource_pool *p)
{
    resource *r = p->idle;
    if (r)
        p->idle = r->next;
    return r;
}

static bool waiter_is_cancelled(resource_pool *p)             /* it is a system call: not with the lock */
{
    uv_mutex_unlock(&p->lock);
    const bool gone = blocking_cancelled();
    uv_mutex_lock(&p->lock);
    return gone;
}

static void waiter_wait(resource_pool *p, struct waiter *me, uint64_t until, uint64_t longest)
{
    const uint64_t end = deadline_sooner(until, longest), since = uv_hrtime();
    uint64_t look = blocking_next_look(p->waiting);
    while (me->err == WAITS) {
        const uint64_t now = uv_hrtime(), next = deadline_sooner(look, end);
        if (now < next)
            uv_cond_timedwait(&me->turn, &p->lock, next - now);
        else if (now >= end)
            waiter_leave(p, me, end == until ? UV_ETIMEDOUT : UV_EBUSY);
        else if (!waiter_is_cancelled(p))
            look = blocking_next_look(p->waiting);
        else if (me->err == WAITS)           /* its turn may have come meanwhile */
            waiter_leave(p, me, UV_ECANCELED);
    }
    blocking_has_waited(since);
}

/* While the queue stands those that wait in it give up all the time, and come again: if it is a long one, more rarely,
 * or a machine that has too much to do would do nothing else. */
static uint64_t longest_wait_allowed(const resource_pool *p, uint64_t now)
{
    const uint64_t longest = codel_longest_wait(&p->codel, now), rarely = (uint64_t)p->waiting * (1000000000 / GIVING_UP);
    const bool stands = p->codel.target && longest == p->codel.target;
    return stands && rarely > longest ? rarely : longest;
}

int resource_pool_acquire(resource_pool *p, resource **out, uint64_t until, resource_pool_turn turn)
{
    const bool ahead = turn == RESOURCE_POOL_AHEAD;
    struct waiter me = { .resource = NULL };

    uv_mutex_lock(&p->lock);
    me.err = p->refusal;
    if (!me.err)
        me.resource = idle_take(p);
    const bool waits = !me.err && !me.resource && (ahead || p->waiting < p->most_waiting);
    if (waits) {
        const uint64_t now = me.since = uv_hrtime();
        if (p->waiting == 0)
            codel_is_empty(&p->codel, now);
        const uint64_t longest = ahead ? UINT64_MAX : longest_wait_allowed(p, now);
        me.err = WAITS;
        uv_cond_init(&me.turn);
        waiter_join(p, &me, turn);
        waiter_wait(p, &me, until, longest < UINT64_MAX - now ? now + longest : UINT64_MAX);
        uv_cond_destroy(&me.turn);
    } else if (!me.err && !me.resource)
        me.err = UV_EAGAIN;
    uv_mutex_unlock(&p->lock);

    if (waits && me.resource && blocking_cancelled()) {            /* it is of no use to this thread any more */
        resource_pool_release(p, me.resource);
        return UV_ECANCELED;
    }
    if (!me.err)
        *out = me.resource;
    return me.err;
}

resource *resource_pool_try_acquire(resource_pool *p)
{
    uv_mutex_lock(&p->lock);
    resource *r = idle_take(p);
    uv_mutex_unlock(&p->lock);
    return r;
}

void resource_pool_release(resource_pool *p, resource *r)
{
    uv_mutex_lock(&p->lock);
    if (p->waiting > 0)
        waiter_call(p, waiters_next(p), 0, r);
    else {
        r->next = p->idle;
        p->idle = r;
    }
    uv_mutex_unlock(&p->lock);
}

void resource_pool_refuse(resource_pool *p, int err)
{
    uv_mutex_lock(&p->lock);
    p->refusal = err;
    while (err && p->waiting > 0)
        waiter_call(p, waiters_next(p), err, NULL);
    uv_mutex_unlock(&p->lock);
}

static uint64_t longest_wait_now(const resource_pool *p, uint64_t now)
{
    const uint64_t usual = p->usual.first ? p->usual.first->since : now, more = p->more.first ? p->more.first->since : now;
    return now - (usual < more ? usual : more);
}

uint64_t resource_pool_worth(resource_pool *p)
{
    uv_mutex_lock(&p->lock);
    const uint64_t now = uv_hrtime(), worth = p->waiting > 0 ? codel_worth(&p->codel, now, longest_wait_now(p, now)) : UINT64_MAX;
    uv_mutex_unlock(&p->lock);
    return worth;
}

int resource_pool_waiting(resource_pool *p)
{
    uv_mutex_lock(&p->lock);
    const int waiting = p->waiting;
    uv_mutex_unlock(&p->lock);
    return waiting;
}
