/* queue.c - see queue.h. Somebody waits for an item only while there is none, and for room only while
 * there is none: so an item passes through the ring, or straight from hand to hand. */
#include "queue.h"
#include "server/base/wait_queue.h"
#include "server/base/memory.h"

#include <assert.h>
#include <uv.h>

struct waiter {
    wait_queue_entry place;                        /* must be first */
    wait_queue      *line;
    promise   *promise;
    void      *item;                         /* to push */
    void     **out;                          /* to pop into */
};

struct queue {
    size_t capacity, length, head;           /* of the ring */
    size_t unfinished;                       /* pushed, and not yet reported done */
    bool   closed;
    void (*destroy)(void *item);
    wait_queue   pushing, popping, joining;
    void  *ring[];
};

static _Thread_local pool waiters = POOL(struct waiter);

queue *queue_new(size_t capacity, void (*destroy)(void *item))
{
    assert(capacity > 0);
    queue *q = mem_alloc(sizeof *q + capacity * sizeof q->ring[0]);
    q->capacity = capacity;
    q->destroy = destroy;
    return q;
}

static void put(queue *q, void *item) { q->ring[(q->head + q->length++) % q->capacity] = item; }

static void *take(queue *q)
{
    void *item = q->ring[q->head];
    q->head = (q->head + 1) % q->capacity;
    q->length--;
    return item;
}

void queue_free(queue *q)
{
    assert(!q->pushing.first && !q->popping.first && !q->joining.first);
    while (q->length > 0) {
        void *item = take(q);
        if (q->destroy)
            q->destroy(item);
    }
    mem_free(q);
}

static void leave(struct waiter *w, int err)
{
    wait_queue_leave(w->line, &w->place);
    promise_settle(w->promise, err);
    pool_put(&waiters, w);
}

static void cancel(promise *p, void *arg)
{
    (void)p;
    leave(arg, UV_ECANCELED);
}

static struct waiter *first_of(const wait_queue *l) { return (struct waiter *)l->first; }

static promise *wait_in(wait_queue *l, void *item, void **out)
{
    struct waiter *w = pool_get(&waiters);
    *w = (struct waiter){ .line = l, .item = item, .out = out };
    wait_queue_join(l, &w->place);
    return w->promise = promise_new(cancel, w);
}

bool queue_try_push(queue *q, void *item)
{
    struct waiter *eager = first_of(&q->popping);
    if (q->closed || q->length == q->capacity)
        return false;
    q->unfinished++;
    if (eager) {
        *eager->out = item;
        leave(eager, 0);
    } else
        put(q, item);
    return true;
}

promise *queue_push(queue *q, void *item)
{
    if (q->closed)
        return promise_settled(UV_EPIPE);
    return queue_try_push(q, item) ? promise_settled(0) : promise_named(wait_in(&q->pushing, item, NULL));
}

promise *queue_pop(queue *q, void **item)
{
    struct waiter *next = first_of(&q->pushing);
    if (q->length == 0)
        return q->closed ? promise_settled(UV_EOF) : promise_named(wait_in(&q->popping, NULL, item));
    *item = take(q);
    if (next) {                              /* there is room now */
        q->unfinished++;
        put(q, next->item);
        leave(next, 0);
    }
    return promise_settled(0);
}

static void wake_all(wait_queue *l, int err)
{
    while (l->first)
        leave(first_of(l), err);
}

void queue_close(queue *q)
{
    q->closed = true;
    wake_all(&q->pushing, UV_EPIPE);
    wake_all(&q->popping, UV_EOF);
}

size_t queue_length(const queue *q) { return q->length; }

void queue_done(queue *q)
{
    assert(q->unfinished > q->length && "every item is reported done once, after it was popped");
    if (--q->unfinished == 0)
        wake_all(&q->joining, 0);
}

promise *queue_join(queue *q)
{
    return q->unfinished ? promise_named(wait_in(&q->joining, NULL, NULL)) : promise_settled(0);
}
