/* resource_pool.h - a few resources that many blocking threads share, each used by one thread at a time.
 *
 *   err = resource_pool_acquire(p, &resource, deadline_in(1000), RESOURCE_POOL_USUAL);
 *   if (err)
 *       return err;
 *   ...
 *   resource_pool_release(p, resource);
 *
 *   Order.      First come, first served: a resource that is released goes straight to the thread that has waited
 *               longest, and none that comes later is faster. A thread that says that it has more to ask for stands in a
 *               second queue, of which one is served after every four of the first. Of idle resources the one used last
 *               goes first.
 *   Waiting.    Each thread waits on a condition of its own, so that a resource wakes one thread. Whether its
 *               client is still there it looks now and then, as blocking_wait.h says, and when its turn comes.
 *   Bounds.     While the queue stands (codel.h), no thread waits longer than the target; but of a long queue no more than
 *               two thousand give up in a second, since to wake a thread for that costs nearly as much as to serve it.
 *   Ownership.  The pool owns nothing: it keeps what it was given until a thread acquires it.
 *
 * The semaphore does the same for tasks. */
#ifndef RESOURCE_POOL_H
#define RESOURCE_POOL_H

#include "server/base/overload/codel.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct resource { struct resource *next; } resource;         /* the first member of what is shared */

typedef enum resource_pool_turn {
    RESOURCE_POOL_USUAL,
    RESOURCE_POOL_MORE,                      /* it will come again: those that do not may go before it */
    RESOURCE_POOL_AHEAD,                     /* it has had its turn, and comes again: before all others */
} resource_pool_turn;

typedef struct resource_pool {
    uv_mutex_t  lock;                        /* of all below */
    resource   *idle;                        /* none while a thread waits */
    struct waiters { struct waiter *first, *last; } usual, more;
    int         served;                      /* of the usual ones in a row */
    int         waiting, most_waiting;
    int         refusal;
    codel       codel;                       /* how long one may wait, whatever it asks for */
} resource_pool;

void resource_pool_init(resource_pool *p, int most_waiting, codel codel);
/* Other bounds from now on: how many may wait, and for how long (codel.h), in milliseconds. Who waits stays. */
void resource_pool_configure(resource_pool *p, int most_waiting, uint64_t target, uint64_t ceiling);
bool resource_pool_at_ceiling(resource_pool *p, uint64_t waited);    /* codel_at_ceiling */
void resource_pool_done(resource_pool *p);   /* no thread may wait */

/* 0 and *out, which is this thread's until it releases it. Or at once UV_EAGAIN: as many wait as may.
 * Or after waiting UV_ETIMEDOUT: not by the time until, of deadline_in; or UV_EBUSY: it has waited as long as it
 * may; or UV_ECANCELED: the client is gone. Or the refusal. For a thread that comes ahead there are never too many that
 * wait, and it never waits too long. */
int       resource_pool_acquire(resource_pool *p, resource **out, uint64_t until, resource_pool_turn turn);
resource *resource_pool_try_acquire(resource_pool *p);               /* one that is idle; NULL: there is none */

void      resource_pool_release(resource_pool *p, resource *r);      /* one more, or one that comes back */
void      resource_pool_refuse(resource_pool *p, int err);           /* what all that wait and come get, until it is 0 again */
int       resource_pool_waiting(resource_pool *p);
uint64_t  resource_pool_worth(resource_pool *p);     /* codel_worth, of a client that asks for one after the other */

#endif
