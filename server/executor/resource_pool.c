/* resource_pool.c - see resource_pool.h. */
#include "resource_pool.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"

#include <assert.h>

enum {
    IN_LINE = 1,                             /* no outcome yet */
    USUAL_IN_A_ROW = 4,
    GIVING_UP = 2000,                        /* so many may in a second, all together: each wakes a thread for nothing */
};

struct borrower {
    struct borrower *next, *prev;
    struct borrowers *line;                  /* where it stands */
    uv_cond_t        turn;
    uint64_t         since;                  /* nanoseconds of uv_hrtime's clock */
    int              err;
    resource            *thing;
};

void resource_pool_init(resource_pool *l, int line, codel patience)
{
    *l = (resource_pool){ .line = line, .codel = patience };
    uv_mutex_init(&l->lock);
}

void resource_pool_done(resource_pool *l)
{
    assert(l->waiting == 0);
    uv_mutex_destroy(&l->lock);
}

/* From here on to resource_pool_acquire, all with the lock held. */
static void join(resource_pool *l, struct borrower *b, resource_pool_turn turn)
{
    struct borrowers *const line = b->line = turn == RESOURCE_POOL_MORE ? &l->more : &l->usual;
    const bool ahead = turn == RESOURCE_POOL_AHEAD;
    b->prev = ahead ? NULL : line->last;
    b->next = ahead ? line->first : NULL;
    *(b->prev ? &b->prev->next : &line->first) = b;
    *(b->next ? &b->next->prev : &line->last) = b;
    l->waiting++;
    if (ahead)
        l->served = 0;
}

static void leave(resource_pool *l, struct borrower *b, int err)
{
    *(b->prev ? &b->prev->next : &b->line->first) = b->next;
    *(b->next ? &b->next->prev : &b->line->last) = b->prev;
    l->waiting--;
    b->err = err;
}

static struct borrower *next(resource_pool *l)
{
    const bool more = l->more.first && (!l->usual.first || l->served >= USUAL_IN_A_ROW);
    l->served = more ? 0 : l->served + 1;
    return more ? l->more.first : l->usual.first;
}

/* Signals before the lock is let go: after that, the other may be gone, and the condition with it. */
static void call(resource_pool *l, struct borrower *b, int err, resource *thing)
{
    b->thing = thing;
    leave(l, b, err);
    uv_cond_signal(&b->turn);
}

static resource *take(resource_pool *l)
{
    resource *thing = l->idle;
    if (thing)
        l->idle = thing->next;
    return thing;
}

static bool cancelled(resource_pool *l)             /* it is a system call: not with the lock */
{
    uv_mutex_unlock(&l->lock);
    const bool gone = blocking_cancelled();
    uv_mutex_lock(&l->lock);
    return gone;
}

static void wait_in_line(resource_pool *l, struct borrower *me, uint64_t until, uint64_t patience)
{
    const uint64_t end = deadline_sooner(until, patience);
    uint64_t look = blocking_next_look(l->waiting);
    while (me->err == IN_LINE) {
        const uint64_t now = uv_hrtime(), next = deadline_sooner(look, end);
        if (now < next)
            uv_cond_timedwait(&me->turn, &l->lock, next - now);
        else if (now >= end)
            leave(l, me, end == until ? UV_ETIMEDOUT : UV_EBUSY);
        else if (!cancelled(l))
            look = blocking_next_look(l->waiting);
        else if (me->err == IN_LINE)         /* its turn may have come meanwhile */
            leave(l, me, UV_ECANCELED);
    }
}

/* While the line stands those who wait in it give up all the time, and come again: if it is a long one, more rarely,
 * or a machine that has too much to do would do nothing else. */
static uint64_t patience_of(const resource_pool *l, uint64_t now)
{
    const uint64_t longest = codel_patience(&l->codel, now), rarely = (uint64_t)l->waiting * (1000000000 / GIVING_UP);
    const bool stands = l->codel.target && longest == l->codel.target;
    return stands && rarely > longest ? rarely : longest;
}

int resource_pool_acquire(resource_pool *l, resource **thing, uint64_t until, resource_pool_turn turn)
{
    const bool ahead = turn == RESOURCE_POOL_AHEAD;
    struct borrower me = { .thing = NULL };

    uv_mutex_lock(&l->lock);
    me.err = l->refusal;
    if (!me.err)
        me.thing = take(l);
    const bool waits = !me.err && !me.thing && (ahead || l->waiting < l->line);
    if (waits) {
        const uint64_t now = me.since = uv_hrtime();
        if (l->waiting == 0)
            codel_is_empty(&l->codel, now);
        const uint64_t patience = ahead ? UINT64_MAX : patience_of(l, now);
        me.err = IN_LINE;
        uv_cond_init(&me.turn);
        join(l, &me, turn);
        wait_in_line(l, &me, until, patience < UINT64_MAX - now ? now + patience : UINT64_MAX);
        uv_cond_destroy(&me.turn);
    } else if (!me.err && !me.thing)
        me.err = UV_EAGAIN;
    uv_mutex_unlock(&l->lock);

    if (waits && me.thing && blocking_cancelled()) {            /* it is of no use to this one any more */
        resource_pool_release(l, me.thing);
        return UV_ECANCELED;
    }
    if (!me.err)
        *thing = me.thing;
    return me.err;
}

resource *resource_pool_try_acquire(resource_pool *l)
{
    uv_mutex_lock(&l->lock);
    resource *thing = take(l);
    uv_mutex_unlock(&l->lock);
    return thing;
}

void resource_pool_release(resource_pool *l, resource *thing)
{
    uv_mutex_lock(&l->lock);
    if (l->waiting > 0)
        call(l, next(l), 0, thing);
    else {
        thing->next = l->idle;
        l->idle = thing;
    }
    uv_mutex_unlock(&l->lock);
}

void resource_pool_refuse(resource_pool *l, int err)
{
    uv_mutex_lock(&l->lock);
    l->refusal = err;
    while (err && l->waiting > 0)
        call(l, next(l), err, NULL);
    uv_mutex_unlock(&l->lock);
}

static uint64_t longest_wait(const resource_pool *l, uint64_t now)
{
    const uint64_t usual = l->usual.first ? l->usual.first->since : now, more = l->more.first ? l->more.first->since : now;
    return now - (usual < more ? usual : more);
}

uint64_t resource_pool_worth(resource_pool *l)
{
    uv_mutex_lock(&l->lock);
    const uint64_t now = uv_hrtime(), worth = l->waiting > 0 ? codel_worth(&l->codel, now, longest_wait(l, now)) : UINT64_MAX;
    uv_mutex_unlock(&l->lock);
    return worth;
}

int resource_pool_waiting(resource_pool *l)
{
    uv_mutex_lock(&l->lock);
    const int waiting = l->waiting;
    uv_mutex_unlock(&l->lock);
    return waiting;
}
