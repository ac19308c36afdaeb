/* wait_queue.h - requests, jobs or tasks that wait for the same, in the order in which they came.
 *
 * Each has an entry, which is part of what waits and must stay where it is until it leaves; any may leave at any time, at
 * no more cost than the first. How long one may wait is codel.h's to say: what serves the queue asks
 * wait_queue_is_late when it has taken the next one, for better a late one is served than none. */
#ifndef WAIT_QUEUE_H
#define WAIT_QUEUE_H

#include "codel.h"
#include "server/base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

typedef struct wait_queue_entry {            /* {0}: in no queue */
    list_node node;
    uint64_t  since;                         /* nanoseconds of uv_hrtime's clock */
} wait_queue_entry;

typedef struct wait_queue {                  /* {0}: without entries, which may wait for ever */
    fifo  entries;
    codel codel;
} wait_queue;

static inline wait_queue_entry *wait_queue_first(const wait_queue *q)
{
    return q->entries.first ? container_of(q->entries.first, wait_queue_entry, node) : NULL;
}

static inline bool wait_queue_has(const wait_queue_entry *e) { return list_has(&e->node); }

static inline void wait_queue_join(wait_queue *q, wait_queue_entry *e)
{
    e->since = uv_hrtime();
    if (!q->entries.first)
        codel_is_empty(&q->codel, e->since);
    fifo_append(&q->entries, &e->node);
}

static inline void wait_queue_leave(wait_queue *q, wait_queue_entry *e) { fifo_remove(&q->entries, &e->node); }

/* The first one has waited longer than one may. */
static inline bool wait_queue_is_late(const wait_queue *q, uint64_t now)
{
    const wait_queue_entry *e = wait_queue_first(q);
    return e && now - e->since >= codel_longest_wait(&q->codel, now);
}

#endif
