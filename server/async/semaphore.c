/* semaphore.c - see semaphore.h. */
#include "semaphore.h"
#include "server/base/overload/wait_queue.h"
#include "server/base/memory.h"

#include <assert.h>
#include <uv.h>

struct waiter { wait_queue_entry entry; semaphore *semaphore; };             /* in the room of its promise */

struct semaphore {
    int  permits, free, waiting, max_waiting;
    wait_queue queue;
};

_Static_assert(sizeof(struct waiter) <= PROMISE_ROOM, "a waiter is a promise with an entry of the queue");

static struct waiter *waiter_first(const semaphore *s)
{
    wait_queue_entry *e = wait_queue_first(&s->queue);
    return e ? container_of(e, struct waiter, entry) : NULL;
}

void semaphore_set_target(semaphore *s, uint64_t ms) { s->queue.codel.target = ms * 1000000; }

semaphore *semaphore_new(int permits, int max_waiting)
{
    semaphore *s = mem_alloc(sizeof *s);
    *s = (semaphore){ .permits = permits, .free = permits, .max_waiting = max_waiting };
    return s;
}

void semaphore_free(semaphore *s)
{
    assert(!waiter_first(s) && s->free == s->permits);
    mem_free(s);
}

static void waiter_leave(struct waiter *w, int err)
{
    semaphore *s = w->semaphore;
    wait_queue_leave(&s->queue, &w->entry);
    s->waiting--;
    promise_settle(promise_of_room(w), err);
}

static void waiter_on_cancel(promise *p, void *arg)
{
    (void)p;
    waiter_leave(arg, UV_ECANCELED);
}

promise *semaphore_enter(semaphore *s)
{
    if (s->free > 0) {
        s->free--;
        return promise_settled(0);
    }
    if (s->waiting == s->max_waiting)
        return promise_settled(UV_EAGAIN);
    promise *p = promise_new_with_room(waiter_on_cancel);
    struct waiter *w = promise_room(p);
    w->semaphore = s;
    wait_queue_join(&s->queue, &w->entry);
    s->waiting++;
    return p;
}

void semaphore_leave(semaphore *s)
{
    assert(s->free < s->permits);
    if (waiter_first(s))
        waiter_leave(waiter_first(s), 0);    /* the permit passes straight on */
    else
        s->free++;
    for (const uint64_t now = waiter_first(s) ? uv_hrtime() : 0; wait_queue_is_late(&s->queue, now);)
        waiter_leave(waiter_first(s), UV_EBUSY);
}
