/* wait_queue.h - those who wait for the same thing, in the order in which they came.
 *
 * Anybody may leave at any time, at no more cost than the first. Who waits has a place in it, the first
 * member of whatever it is, which must stay where it is until it leaves. How long one should wait at most is
 * codel.h's to say; whoever serves the line asks when it has taken the next one, for better a late one is served than none. */
#ifndef LINE_H
#define LINE_H

#include "codel.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

typedef struct wait_queue_entry {                  /* {0}: in no line */
    struct wait_queue_entry *next, **link;
    uint64_t           since;                /* nanoseconds of uv_hrtime's clock */
} wait_queue_entry;

typedef struct wait_queue {                        /* {0}: nobody waits, and whoever will, may do so for ever */
    wait_queue_entry *first, **last;
    codel       codel;
} wait_queue;

static inline void wait_queue_join(wait_queue *l, wait_queue_entry *p)
{
    p->since = uv_hrtime();
    if (!l->first) {
        l->last = &l->first;
        codel_is_empty(&l->codel, p->since);
    }
    p->next = NULL;
    p->link = l->last;
    *l->last = p;
    l->last = &p->next;
}

static inline void wait_queue_leave(wait_queue *l, wait_queue_entry *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    else
        l->last = p->link;
    p->link = NULL;
}

/* The first one has waited longer than one may. */
static inline bool wait_queue_is_late(const wait_queue *l, uint64_t now)
{
    return l->first && now - l->first->since >= codel_patience(&l->codel, now);
}

#endif
