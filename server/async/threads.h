/* threads.h - run CPU-heavy functions on libuv's thread pool.
 *
 * libuv has one pool for everything: rendering, files and name lookups. A lane in front of it keeps
 * any one of them from taking all threads: at most so many of its jobs run at once, so many more
 * wait in order, and the rest are refused. */
#ifndef THREADS_H
#define THREADS_H

#include "promise.h"

/* How many threads the pool has, and how many of each loop's in_thread jobs may run and wait.
 * Before the first use, and before any other thread starts. */
void threads_configure(int threads, int running, int waiting);

/* Run fn(arg) off the loop; the promise settles with what fn returns, or with UV_EAGAIN when too
 * many wait already. arg must outlive it, which await() guarantees for a local. Cancelling stops it
 * only while it waits; once running it runs to its end. In a plain thread fn runs right here. */
MUST_AWAIT promise *in_thread(int (*fn)(void *arg), void *arg);

#endif
