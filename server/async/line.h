/* line.h - those who wait for the same thing, in the order in which they came.
 *
 * Anybody may leave at any time, at no more cost than the first. Who waits has a place in it, the first
 * member of whatever it is, which must stay where it is until it leaves. */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

typedef struct line_place { struct line_place *next, **link; } line_place;   /* {0}: in no line */
typedef struct line { line_place *first, **last; } line;     /* {0}: nobody waits */

static inline void line_join(line *l, line_place *p)
{
    if (!l->first)
        l->last = &l->first;
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

#endif
