/* queue.h - a bounded first-in first-out queue between tasks.
 *
 *   producer                                      consumer
 *   err = await(queue_push(q, item));             while (!(err = await(queue_pop(q, &item)))) {
 *   if (err)                                          ...
 *       item_free(item);                              queue_done(q);
 *   queue_close(q);                               }
 *
 * A full queue makes the producer wait: that is the whole point. Tasks that wait, on either side, are
 * served in the order in which they came.
 *
 *   Ownership.   An item belongs to the queue from a successful push until a pop hands it out. A push
 *                that fails, for whatever reason, leaves the item with the caller; a pop that fails,
 *                cancelled or not, has taken nothing.
 *   Threads.     A queue is for the tasks of one thread, with a loop or without. In a blocking thread the
 *                to wait lets the thread's other tasks run. */
#ifndef QUEUE_H
#define QUEUE_H

#include "promise.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct queue queue;

queue *queue_new(size_t capacity, void (*destroy)(void *item));      /* at least 1; destroy may be NULL */
void   queue_free(queue *q);                 /* destroys what is left; nothing may wait */

/* Waits for room, or at most until the queue is closed: UV_EPIPE. */
MUST_AWAIT promise *queue_push(queue *q, void *item);
bool queue_try_push(queue *q, void *item);   /* never waits: false when it is full or closed */

/* Waits for an item. Once the queue is closed and empty: UV_EOF. */
MUST_AWAIT promise *queue_pop(queue *q, void **item);

void   queue_close(queue *q);                /* no more pushes, and what waits is woken; what is inside can still be popped */
size_t queue_length(const queue *q);         /* items inside; those of pushes that wait are not */

/* To be called once for each item that was popped, when all that is to be done with it has been. */
void   queue_done(queue *q);

/* Settles with 0 when every item that has been pushed, by then, has been reported done: at once if
 * there is none. An item whose push still waits counts from when it is inside. */
MUST_AWAIT promise *queue_join(queue *q);

#endif
