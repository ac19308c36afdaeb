/* lender.h - a few things that many plain threads lend to each other, one thread at a time.
 *
 *   err = lender_borrow(l, &thing, plain_in(1000), LENDER_USUAL);
 *   if (err)
 *       return err;
 *   ...
 *   lender_lend(l, thing);
 *
 *   Order.      First come, first served: a thing that comes back goes straight to the first in line,
 *               and nobody who comes later is faster. Who says that it has more to ask for stands in a second line,
 *               of which one is served after every four of the first. Of idle things the one used last goes first.
 *   Waiting.    Each waits on a condition of its own, so that a thing wakes one thread. Whether its
 *               client is still there it looks now and then, as plain.h says, and when its turn comes.
 *   Patience.   While the line stands (codel.h), nobody waits longer than the target; but of a long line no more than
 *               two thousand give up in a second, since to wake a thread for that costs nearly as much as to serve it.
 *   Ownership.  The lender owns nothing: it keeps what it was given until somebody borrows it.
 *
 * The semaphore does the same for tasks. */
#ifndef LENDER_H
#define LENDER_H

#include "server/base/codel.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct loan { struct loan *next; } loan;             /* the first member of what is lent */

typedef enum lender_turn {
    LENDER_USUAL,
    LENDER_MORE,                             /* it will come again: those who do not may go before it */
    LENDER_AHEAD,                            /* it has had its turn, and comes again: before all others */
} lender_turn;

typedef struct lender {
    uv_mutex_t       lock;                   /* of all below */
    loan            *idle;                   /* none while anybody waits */
    struct borrowers { struct borrower *first, *last; } usual, more;         /* who waits */
    int              served;                 /* of the usual ones in a row */
    int              waiting, line;          /* how many wait, and how many may */
    int              refusal;
    codel            codel;                  /* how long one may wait, whatever one is ready to */
} lender;

void lender_init(lender *l, int line, codel patience);
void lender_done(lender *l);                 /* nobody may wait */

/* 0 and *thing, which is this thread's until it lends it on. Or at once UV_EAGAIN: the line is full.
 * Or after waiting UV_ETIMEDOUT: not by the time until, of plain_in; or UV_EBUSY: it has waited as long as one
 * may; or UV_ECANCELED: the client is gone. Or the refusal. For who comes ahead the line is never full, and never too long. */
int   lender_borrow(lender *l, loan **thing, uint64_t until, lender_turn turn);
loan *lender_take(lender *l);                /* one that is idle; NULL: there is none */

void  lender_lend(lender *l, loan *thing);   /* one more, or one that comes back */
void  lender_refuse(lender *l, int err);     /* answers all in line, and all who come, until it is 0 again */
int   lender_waiting(lender *l);
uint64_t lender_worth(lender *l);            /* codel_worth, of who asks for one of them after the other */

#endif
