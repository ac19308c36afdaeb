/* schedule.h - the ways in which Node puts off a callback, by the names that they have there.
 *
 *                       runs
 *   next_tick           when the callback that runs now has returned, before all that is ready
 *   queue_microtask     then, in turn with the followers of promises
 *   set_timeout         in the timers phase, not before ms milliseconds have passed; 0 counts as 1
 *   set_immediate       in the check phase, after the next poll for I/O; one that is set by an
 *                       immediate runs in the next turn
 *
 * Between any two of them ticks and microtasks are run, until there are none. The order of the phases
 * is in loop.h. Promises say the same with less: sleep_for, task_yield, then. These are for code that is
 * made of callbacks, and for comparison.
 *
 *   Ownership.  arg is the caller's, until fn has been called or was cleared.
 *   Threads.    All are of this thread. set_timeout needs a loop; the others work without one, too,
 *               where they run while the thread awaits something. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdint.h>

/* A name for one call of set_timeout or set_immediate on this thread; never 0, and never used again. */
typedef uint64_t scheduled;

scheduled set_timeout(void (*fn)(void *arg), void *arg, uint64_t ms);
scheduled set_immediate(void (*fn)(void *arg), void *arg);

/* It will not be called. No-op, as in Node, if it has been called or cleared already, or for 0. */
void clear_timeout(scheduled s);
void clear_immediate(scheduled s);

void next_tick(void (*fn)(void *arg), void *arg);
void queue_microtask(void (*fn)(void *arg), void *arg);

#endif
