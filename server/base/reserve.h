/* reserve.h - freed memory that a thread keeps for its next use, and when it gives it back.
 *
 * One policy for all kinds of it: task stacks, slabs of pools, blocks, SQLite's jobs. Each is a reserve.
 * What the last seconds needed stays, the one put last on top; the rest goes back, slowly. Time is cut into
 * periods: what has lain free for a whole period is its idle part, which goes back in the next (the working
 * set of a free list: Bonwick and Adams, "Magazines and Vmem", 2001, section 3.5). So a load that comes
 * again within a period finds its memory warm, and of a burst little is left after three.
 *
 *   Ticks.    The loop calls reserve_tick. One takes half a millisecond, whatever there is to give back.
 *   Threads.  All of it is for the thread that calls. One without ticks keeps a little of each kind, and
 *             gives the rest back at once. */
#ifndef RESERVE_H
#define RESERVE_H

#include "sanitizers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Under the sanitizers and valgrind nothing is kept for reuse, and each object is an allocation of its own: so they see
 * each use of one that has been freed. */
#if SANITIZES_ADDRESSES || SANITIZES_THREADS || defined(USE_VALGRIND)
#define RESERVE_NOTHING 1
#else
#define RESERVE_NOTHING 0
#endif

enum {
    RESERVE_LEAST  = 64 * 1024,              /* bytes of each kind that stay in any case */
    RESERVE_PERIOD = 3000,                   /* ms */
};

typedef struct reserve {
    bool (*age)(struct reserve *r);          /* a period has ended: says what is idle now; false: nothing to watch */
    bool (*give_back)(struct reserve *r);    /* the coldest of that, some dozens; false: nothing is left of it */
    struct reserve *other;                   /* of this thread, that is watched too */
    bool            watched;
} reserve;

/* It has more than its least: from now on ticks look at it, until age returns false. False if this thread
 * has no ticks. */
bool reserve_watch(reserve *r);
void reserve_unwatch(reserve *r);            /* before it ends; fine if it is not watched */

void reserve_begin(void);                    /* this thread has ticks, until reserve_end */
void reserve_end(void);
bool reserve_is_watched(void);               /* is there anything to call reserve_tick for? */

/* now in milliseconds, of a clock that does not jump back. Returns after how many of them it wants to be
 * called again; 0: not before reserve_is_watched. */
uint64_t reserve_tick(uint64_t now);

void reserve_freed(size_t size);             /* so many bytes went to the allocator: a tick passes them on */
void reserve_tune_allocator(bool loops);     /* once, before there are threads; they have ticks, or there are many */
void reserve_trim_allocator(void);           /* all that is free in it goes to the kernel: takes milliseconds */

/* Used objects of one size, the one put last on top: a reserve whose objects are freed one by one.
 *
 * It holds no more than its thread ever asked it for at once. An object may be put that another thread got,
 * but of those there may be ever more, while that other thread finds none. */
typedef struct freelist {
    reserve             reserve;
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
