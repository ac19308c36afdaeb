/* executor.h - a kind of work on libuv's thread pool, and how much of it there may be at once.
 *
 * libuv has one pool for everything: rendering, files, name lookups. An executor in front of it keeps any one
 * kind from taking all threads: on each loop so many of its jobs run at once, so many more wait in
 * order, and the rest are refused.
 *
 *     pictures = executor_add("pictures", 2, 100);              once, before any other thread starts
 *     err = await(run_in_executor(pictures, shrink, &picture));
 *
 *   Modes.  A blocking thread does its work right here, and no other has to wait for it: it is only counted. */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include "server/async/promise.h"

#include <stdint.h>

typedef struct executor executor;

enum { MAX_EXECUTORS = 8 };                          /* as many there may be */

/* There from the start. */
extern executor *const EXECUTOR_CPU;                 /* "cpu": what computes, see thread_pool.h */
extern executor *const EXECUTOR_FILES;               /* "files": what waits for a disk */

/* How many of each loop's may run and wait. If there is one of that name already, it is that one, with
 * these bounds from now on. The name must outlive it; an executor is for ever. */
executor *executor_add(const char *name, int running, int waiting);

/* How many milliseconds one may wait in it while more comes than can be done (codel.h); 0, as at first: any. A job that
 * has waited longer is refused when another has ended. */
void executor_set_target(executor *e, uint64_t ms);

/* On a loop: how many more jobs it could take without keeping those that come later for long. */
int  executor_room(const executor *e);

/* Run fn(arg) on the thread pool; the promise settles with what fn returns, or is refused: at once
 * when too many wait already, later if it has waited too long, with the executor's error of refusal.h, or UV_EAGAIN
 * if it has none. arg must outlive it, which await() guarantees for a local. Cancelling stops it
 * only while it waits; once running it runs to its end. In a blocking thread fn runs right here. */
MUST_AWAIT promise *run_in_executor(executor *e, int (*fn)(void *arg), void *arg);

/* For work that gets to the pool by another way, like uv_fs: enter before it, leave when it has ended.
 * It refuses as run_in_executor does. What is cancelled while it waits has not entered. */
MUST_AWAIT promise *executor_enter(executor *e);
void executor_leave(executor *e);                    /* on the same thread */

/* Of all loops and blocking threads together, as they are now. */
typedef struct executor_counts {
    const char *name;
    int         running, waiting;
    uint64_t    done, refused;               /* since the start */
} executor_counts;

int executor_count_all(executor_counts counts[MAX_EXECUTORS]);       /* how many executors there are */

#endif
