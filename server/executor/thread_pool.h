/* thread_pool.h - run CPU-heavy functions on libuv's thread pool: the executor (executor.h) of what computes. */
#ifndef THREAD_POOL_H
#define THREAD_POOL_H

#include "server/async/promise.h"

/* How many threads the pool has, and how many of each loop's in_thread jobs may run and wait.
 * Before the first use, and before any other thread starts. */
void thread_pool_configure(int threads, int running, int waiting);

/* Starts them, which libuv does when they are first needed, and aborts if it cannot. 0, or the error. For a server with
 * loops, before it serves. */
int thread_pool_start(void);

/* Run fn(arg) off the loop, as run_in_executor does: REFUSED_CPU_LINE or _WAIT when too many wait, or too long;
 * cancelling stops it only while it waits; in a blocking thread fn runs right here. */
MUST_AWAIT promise *in_thread(int (*fn)(void *arg), void *arg);

#endif
