/* resource_pool.h - a few things that many blocking threads lend to each other, one thread at a time.
 *
 *   err = resource_pool_acquire(l, &thing, deadline_in(1000), RESOURCE_POOL_USUAL);
 *   if (err)
 *       return err;
 *   ...
 *   resource_pool_release(l, thing);
 *
 *   Order.      First come, first served: a thing that comes back goes straight to the first in line,
 *               and nobody who comes later is faster. Who says that it has more to ask for stands in a second line,
 *               of which one is served after every four of the first. Of idle things the one used last goes first.
 *   Waiting.    Each waits on a condition of its own, so that a thing wakes one thread. Whether its
 *               client is still there it looks now and then, as blocking_wait.h says, and when its turn comes.
 *   Patience.   While the line stands (codel.h), nobody waits longer than the target; but of a long line no more than
 *               two thousand give up in a second, since to wake a thread for that costs nearly as much as to serve it.
 *   Ownership.  The lender owns nothing: it keeps what it was given until somebody borrows it.
 *
 * The semaphore does the same for tasks. */
#ifndef RESOURCE_POOL_H
#define RESOURCE_POOL_H

#include "server/base/codel.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct resource { struct resource *next; } resource;             /* the first member of what is lent */

typedef enum resource_pool_turn {
    RESOURCE_POOL_USUAL,
    RESOURCE_POOL_MORE,                             /* it will come again: those who do not may go before it */
    RESOURCE_POOL_AHEAD,                            /* it has had its turn, and comes again: before all others */
} resource_pool_turn;

typedef struct resource_pool {
    uv_mutex_t       lock;                   /* of all below */
    resource            *idle;                   /* none while anybody waits */
    struct borrowers { struct borrower *first, *last; } usual, more;         /* who waits */
    int              served;                 /* of the usual ones in a row */
    int              waiting, line;          /* how many wait, and how many may */
    int              refusal;
    codel            codel;                  /* how long one may wait, whatever one is ready to */
} resource_pool;

void resource_pool_init(resource_pool *l, int line, codel patience);
void resource_pool_done(resource_pool *l);                 /* nobody may wait */

/* 0 and *thing, which is this thread's until it lends it on. Or at once UV_EAGAIN: the line is full.
 * Or after waiting UV_ETIMEDOUT: not by the time until, of deadline_in; or UV_EBUSY: it has waited as long as one
 * may; or UV_ECANCELED: the client is gone. Or the refusal. For who comes ahead the line is never full, and never too long. */
int   resource_pool_acquire(resource_pool *l, resource **thing, uint64_t until, resource_pool_turn turn);
resource *resource_pool_try_acquire(resource_pool *l);                /* one that is idle; NULL: there is none */

void  resource_pool_release(resource_pool *l, resource *thing);   /* one more, or one that comes back */
void  resource_pool_refuse(resource_pool *l, int err);     /* answers all in line, and all who come, until it is 0 again */
int   resource_pool_waiting(resource_pool *l);
uint64_t resource_pool_worth(resource_pool *l);            /* codel_worth, of who asks for one of them after the other */

#endif
