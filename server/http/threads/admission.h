/* admission.h - which requests of blocking threads begin, when more come than their resource can serve.
 *
 * What async/admission.h is for a loop: a thread that serves a request acquires a permit for what its route needs,
 * before it does anything for it, and releases it when the answer is made. There are as many as keep the resource
 * busy; all other threads wait for one, in the order in which they came, for as long as codel.h allows.
 *
 *   Threads.  All of it is for any thread without a loop. */
#ifndef HTTP_THREADS_ADMISSION_H
#define HTTP_THREADS_ADMISSION_H

#include "server/executor/resource_pool.h"

typedef struct thread_admission {
    resource_pool pool;
    resource     *permits;
} thread_admission;

/* So many permits; so many threads may wait for one, as long as codel says. */
void thread_admission_init(thread_admission *a, int permits, int waiting, codel codel);
/* From now on so many may wait, for as long as a codel of these milliseconds says. From another thread. */
void thread_admission_configure(thread_admission *a, int waiting, uint64_t target, uint64_t ceiling);
void thread_admission_done(thread_admission *a);     /* all have been released */

uint64_t thread_admission_worth(thread_admission *a);        /* codel_worth, of what one client has sent at once */

/* 0 and a permit, or after waiting an error: a REFUSED one; UV_ETIMEDOUT: the thread's deadline has
 * come; UV_ECANCELED: its client is gone. more: its client has sent more than this request. */
int  thread_admission_acquire(thread_admission *a, bool more, resource **permit);
void thread_admission_release(thread_admission *a, resource *permit);

#endif
