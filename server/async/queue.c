/* queue.c - see queue.h. Somebody waits for an item only while there is none, and for room only while
 * there is none: so an item passes through the ring, or straight from hand to hand. */
#include "queue.h"
#include "server/base/overload/wait_queue.h"
#include "server/base/memory.h"

#include <assert.h>
#include <uv.h>

struct waiter {
    wait_queue_entry entry;
    wait_queue      *queue;
    promise         *promise;
    void            *item;                   /* to push */
    void           **out;                    /* to pop into */
};

struct queue {
    size_t capacity, length, head;           /* of the ring */
    size_t unfinished;                       /* pushed, and not yet reported done */
    bool   closed;
    void (*destroy)(void *item);
    wait_queue pushing, popping, joining;
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

static void queue_put_item(queue *q, void *item) { q->ring[(q->head + q->length++) % q->capacity] = item; }

static void *queue_take_item(queue *q)
{
    void *item = q->ring[q->head];
    q->head = (q->head + 1) % q->capacity;
    q->length--;
    return item;
}

static struct waiter *waiter_first(const wait_queue *q)
{
    wait_queue_entry *e = wait_queue_first(q);
    return e ? container_of(e, struct waiter, entry) : NULL;
}

void queue_free(queue *q)
{
    assert(!waiter_first(&q->pushing) && !waiter_first(&q->popping) && !waiter_first(&q->joining));
    while (q->length > 0) {
        void *item = queue_take_item(q);
        if (q->destroy)
            q->destroy(item);
    }
    mem_free(q);
}

static void waiter_leave(struct waiter *w, int err)
{
    wait_queue_leave(w->queue, &w->entry);
    promise_settle(w->promise, err);
    pool_put(&waiters, w);
}

static void waiter_on_cancel(promise *p, void *arg)
{
    (void)p;
    waiter_leave(arg, UV_ECANCELED);
}

static promise *waiter_join(wait_queue *q, void *item, void **out)
{
    struct waiter *w = pool_get(&waiters);
    *w = (struct waiter){ .queue = q, .item = item, .out = out };
    wait_queue_join(q, &w->entry);
    return w->promise = promise_new(waiter_on_cancel, w);
}

bool queue_try_push(queue *q, void *item)
{
    struct waiter *eager = waiter_first(&q->popping);
    if (q->closed || q->length == q->capacity)
        return false;
    q->unfinished++;
    if (eager) {
        *eager->out = item;
        waiter_leave(eager, 0);
    } else
        queue_put_item(q, item);
    return true;
}

promise *queue_push(queue *q, void *item)
{
    if (q->closed)
        return promise_settled(UV_EPIPE);
    return queue_try_push(q, item) ? promise_settled(0) : promise_named(waiter_join(&q->pushing, item, NULL));
}

promise *queue_pop(queue *q, void **item)
{
    struct waiter *next = waiter_first(&q->pushing);
    if (q->length == 0)
        return q->closed ? promise_settled(UV_EOF) : promise_named(waiter_join(&q->popping, NULL, item));
    *item = queue_take_item(q);
    if (next) {                              /* there is room now */
        q->unfinished++;
        queue_put_item(q, next->item);
        waiter_leave(next, 0);
    }
    return promise_settled(0);
}

static void waiter_wake_all(wait_queue *q, int err)
{
    for (struct waiter *w; (w = waiter_first(q));)
        waiter_leave(w, err);
}

void queue_close(queue *q)
{
    q->closed = true;
    waiter_wake_all(&q->pushing, UV_EPIPE);
    waiter_wake_all(&q->popping, UV_EOF);
}

size_t queue_length(const queue *q) { return q->length; }

void queue_done(queue *q)
{
    assert(q->unfinished > q->length && "every item is reported done once, after it was popped");
    if (--q->unfinished == 0)
        waiter_wake_all(&q->joining, 0);
}

promise *queue_join(queue *q)
{
    return q->unfinished ? promise_named(waiter_join(&q->joining, NULL, NULL)) : promise_settled(0);
}
