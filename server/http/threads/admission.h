/* admission.h - which requests of blocking threads begin, when more come than their resource can serve.
 *
 * What admission.h is for a loop: a thread that serves a request takes a permit for what its route needs,
 * before it does anything for it, and gives it back when the answer is made. There are as many as keep the resource
 * busy; all other threads stand in line for one, in the order in which they came, for as long as codel.h allows.
 *
 *   Threads.  All of it is for any thread without a loop. */
#ifndef HTTP_PERMITS_H
#define HTTP_PERMITS_H

#include "server/executor/resource_pool.h"

typedef struct permits {
    resource_pool resource_pool;
    resource  *all;
} permits;

/* count of them; so many threads may wait, for as long as patience says. */
void permits_init(permits *p, int count, int line, codel patience);
void permits_done(permits *p);               /* all must be back */

uint64_t permits_worth(permits *p);          /* of what one client has sent at once: how many are worth the wait (codel.h) */

/* 0 and a permit, or after waiting an error: a REFUSED one; UV_ETIMEDOUT: the thread's deadline has
 * come; UV_ECANCELED: its client is gone. */
int  permits_take(permits *p, bool more, resource **permit);     /* more: its client has sent more than this one */
void permits_give(permits *p, resource *permit);

#endif
