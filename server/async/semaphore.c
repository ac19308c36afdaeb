/* semaphore.c - see semaphore.h. */
#include "semaphore.h"
#include "server/base/wait_queue.h"
#include "server/base/memory.h"

#include <assert.h>
#include <uv.h>

struct waiter { wait_queue_entry place; semaphore *semaphore; };   /* in the room of its promise; place must be first */
struct semaphore {
    int  permits, free, waiting, max_waiting;
    wait_queue line;
};

_Static_assert(sizeof(struct waiter) <= PROMISE_ROOM, "who waits is a promise with a place in line");

void semaphore_set_target(semaphore *s, uint64_t ms) { s->line.codel.target = ms * 1000000; }

semaphore *semaphore_new(int permits, int max_waiting)
{
    semaphore *s = mem_alloc(sizeof *s);
    *s = (semaphore){ .permits = permits, .free = permits, .max_waiting = max_waiting };
    return s;
}

void semaphore_free(semaphore *s)
{
    assert(!s->line.first && s->free == s->permits);
    mem_free(s);
}

static void leave_line(struct waiter *w, int err)
{
    semaphore *s = w->semaphore;
    wait_queue_leave(&s->line, &w->place);
    s->waiting--;
    promise_settle(promise_of_room(w), err);
}

static void cancel(promise *p, void *arg)
{
    (void)p;
    leave_line(arg, UV_ECANCELED);
}

promise *semaphore_enter(semaphore *s)
{
    if (s->free > 0) {
        s->free--;
        return promise_settled(0);
    }
    if (s->waiting == s->max_waiting)
        return promise_settled(UV_EAGAIN);
    promise *p = promise_new_with_room(cancel);
    struct waiter *w = promise_room(p);
    w->semaphore = s;
    wait_queue_join(&s->line, &w->place);
    s->waiting++;
    return p;
}

void semaphore_leave(semaphore *s)
{
    assert(s->free < s->permits);
    if (s->line.first)
        leave_line((struct waiter *)s->line.first, 0);       /* the permit passes straight on */
    else
        s->free++;
    for (const uint64_t now = s->line.first ? uv_hrtime() : 0; wait_queue_is_late(&s->line, now);)
        leave_line((struct waiter *)s->line.first, UV_EBUSY);
}
