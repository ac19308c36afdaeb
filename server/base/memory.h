/* memory.h - the one place where memory runs out.
 *
 * No function here returns NULL: a server that cannot allocate a hundred bytes cannot report that it cannot
 * either. So there is some to spare, with which what has begun is finished; from the first allocation that needs it until
 * it can be set aside again mem_is_short, and nothing new begins. If that is used up too it says so in one line and aborts.
 * What a stranger can make large (a body, a queue, a task's stack) is bounded and refused before it gets here. */
#ifndef MEMORY_H
#define MEMORY_H

#include "reserve.h"

#include <stdbool.h>
#include <stddef.h>

void *mem_alloc(size_t size);                /* zeroed */
void *mem_resize(void *p, size_t size);      /* new bytes are not zeroed */
char *mem_copy(const char *text);            /* a terminated string */
void  mem_free(void *p);                     /* NULL is fine */

void mem_begin(void);                        /* once, before libuv is used: sets some aside, for libuv too */
bool mem_is_short(void);                     /* begin nothing that takes memory */
bool mem_has(size_t size);                   /* may something as large as that be allocated? It looks where there is a limit */

/* A pool hands out objects of one size, from a list of used ones that this thread keeps: what a
 * request needs is the last request's memory, still warm. Declare one per type and thread:
 *
 *     static _Thread_local pool alarms = POOL(struct alarm);
 *
 * It takes memory in slabs, of which the first is small and each further one larger: a thread of
 * thousands, which has a few objects of each kind, needs a few KiB for them. Those of a burst are given
 * back when their objects have long been free (reserve.h), those in use having been gathered in the others.
 * A thread that ends calls pool_done_all, for no other can find its pools again.
 *
 * With RESERVE_NOTHING every object is an allocation of its own. */
typedef struct pool {
    reserve           reserve;
    size_t            size;
    struct pool_free *free;                  /* used objects, last in first out */
    struct pool_free *returning;             /* more of them, on their way to their slabs */
    char             *next, *end;            /* the untouched rest of the newest slab */
    struct pool_slab *slabs, *newest;
    size_t            slab;                  /* bytes of the next one, about */
    int               large;                 /* slabs that can be given back */
    struct pool      *other;                 /* of the same thread, that has slabs too */
} pool;

#define POOL_OF_SIZE(bytes) { .reserve = { pool_age, pool_give_back }, .size = (bytes) }
#define POOL(type)          POOL_OF_SIZE(sizeof(type))

void *pool_get(pool *p);                     /* not zeroed; aligned for pointers and 64-bit numbers */
void  pool_put(pool *p, void *object);       /* on the thread that got it */
void  pool_done(pool *p);                    /* gives all slabs back; every object must have been put */
void  pool_done_all(void);                   /* the same for all pools of this thread, which is about to exit */

bool  pool_age(reserve *r);
bool  pool_give_back(reserve *r);

#endif
