/* freelist.h - used objects of one size, the one put last on top: a reserve whose objects are freed one by one.
 *
 * It holds no more than its thread ever asked it for at once. An object may be put that another thread got,
 * but of those there may be ever more, while that other thread finds none. */
#ifndef FREELIST_H
#define FREELIST_H

#include "reserve.h"

typedef struct freelist {
    reserve             reserve;             /* must be first */
    size_t              size;                /* bytes of an object */
    size_t              count;               /* objects here */
    ptrdiff_t           out;                 /* that it was asked for, and that have not been put */
    struct free_object *recent, *old, *idle; /* not taken since this period began, since the last one, for longer:
                                                taken in this order */
    void              (*end)(void *object);  /* gives one back */
} freelist;

#define FREELIST(bytes, end_object) \
    { .reserve = { freelist_age, freelist_give_back }, .size = (bytes), .end = (end_object) }

void *freelist_get(freelist *f);             /* as it was put, but for its first pointer; NULL: make one */
void  freelist_put(freelist *f, void *object);               /* or gives it back, if this thread keeps no more */
void  freelist_done(freelist *f);            /* gives all back; it may be used again */

bool  freelist_age(reserve *r);
bool  freelist_give_back(reserve *r);

#endif
