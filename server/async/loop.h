/* loop.h - one libuv loop per thread, and the things that are ready to run on it.
 *
 * A turn of the loop, as libuv runs it, with our lists in it:
 *
 *     timers -> pending -> prepare -> poll for I/O -> check -> closing       (libuv 1.44; from 1.45
 *                             |                         |                     on, timers come last)
 *                             +--- turn end             +--- immediate, then turn end
 *
 *   next tick   as soon as the callback that runs now has returned, before anything that is ready.
 *   ready       what has just become possible: followers of settled promises, new tasks. It is the
 *               queue of microtasks: after each callback, and once more before the loop polls, it
 *               runs in order until nothing is left, and so does what that makes ready. A tick that
 *               is asked for meanwhile runs when nothing is ready any more.
 *   turn end    once both are empty: writes what the turn has gathered, one system call for all. When as
 *               many as LOOP_GATHERS have gathered, they run already after the callback that runs now, as
 *               soon as nothing is ready: what they write from is bounded, and reused while it is warm.
 *   immediate   in the next check phase, after I/O has had its chance.
 *
 * This is Node's order, and tests/order compares the two. To keep it, each callback that libuv
 * calls, and that does more than free memory, begins with loop_enter() and ends with loop_leave(). */
#ifndef LOOP_H
#define LOOP_H

#include "server/async/observe/loop_events.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { LOOP_GATHERS = 64 };

/* Embedded in whatever becomes ready; must stay where it is until run is called. */
typedef struct ready {
    struct ready *next;
    void        (*run)(struct ready *);
} ready;

int        loop_start(void);                 /* make one for this thread; 0 or a UV_ error */
uv_loop_t *loop_here(void);                  /* this thread's loop; NULL in a blocking thread */
void       loop_run(void);                   /* until nothing is left to wait for, or loop_stop */
void       loop_stop(void);                  /* return from loop_run after this turn */
int        loop_done(void);                  /* free it; UV_EBUSY while handles are open: close them, try again */

/* Around a callback of libuv's. Pairs may nest: the outermost loop_leave runs ticks, what is ready, and what
 * much has gathered, so it is the last thing that a callback does. */
void       loop_enter(void);
void       loop_leave(void);

/* For who watches (loop_events.h): the callback that begins is one of that phase. What calls no such thing is of poll, or of
 * closing. Before its loop_enter. */
void       loop_note_phase(loop_phase p);

/* Whether a loop's thread is inside a callback, and in which one, for other threads to see: a number that grows when a
 * callback begins and again when it has ended. A thread that looks twice and finds the same odd number has found a
 * callback that has run for all that time. It costs the loop one relaxed store at each end. */
typedef struct loop_activity {
    _Atomic uint64_t sequence;               /* odd while a callback runs; written by the loop's own thread only */
} loop_activity;

loop_activity *loop_activity_here(void);     /* of this thread's loop; it stays where it is while the thread lives */

static inline uint64_t loop_activity_sequence(loop_activity *a)
{
    return atomic_load_explicit(&a->sequence, memory_order_relaxed);
}

void       loop_next_tick(ready *r);         /* run r before anything that is ready */
void       loop_ready(ready *r);             /* run r soon, never from inside this call */
void       loop_ready_named(ready *r, const char *name, uint16_t label);  /* the same, of what has a name, which is static */
void       loop_at_turn_end(ready *r);       /* run r when this turn has nothing more to do, or much has gathered */
void       loop_immediate(ready *r);         /* run r after the next poll for I/O */
bool       loop_run_ready(void);             /* run what is ready now; true if anything was */

#endif
