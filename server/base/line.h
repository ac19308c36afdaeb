/* line.h - those who wait for the same thing, in the order in which they came.
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

typedef struct line_place {                  /* {0}: in no line */
    struct line_place *next, **link;
    uint64_t           since;                /* nanoseconds of uv_hrtime's clock */
} line_place;

typedef struct line {                        /* {0}: nobody waits, and whoever will, may do so for ever */
    line_place *first, **last;
    codel       codel;
} line;

static inline void line_join(line *l, line_place *p)
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

static inline void line_leave(line *l, line_place *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    else
        l->last = p->link;
    p->link = NULL;
}

/* The first one has waited longer than one may. */
static inline bool line_is_late(const line *l, uint64_t now)
{
    return l->first && now - l->first->since >= codel_patience(&l->codel, now);
}

#endif
