/* loop.h - one libuv loop per thread, and the things that are ready to run on it.
 *
 * A turn of the loop, as libuv runs it, with our three lists in it:
 *
 *     timers -> pending -> prepare -> poll for I/O -> check -> closing       (libuv 1.44; from 1.45
 *                             |                         |                     on, timers come last)
 *                             +--- ready, then turn end +--- immediate, ready, then turn end
 *
 *   ready       what has just become possible: followers of settled promises, new tasks. Runs in
 *               order, until nothing is left; what it makes ready runs in the same turn.
 *   turn end    once ready is empty: writes what the turn has gathered, one system call for all.
 *   immediate   in the next check phase, after I/O has had its chance. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <uv.h>

/* Embedded in whatever becomes ready; must stay where it is until run is called. */
typedef struct ready {
    struct ready *next;
    void        (*run)(struct ready *);
} ready;

int        loop_start(void);                 /* make one for this thread; 0 or a UV_ error */
uv_loop_t *loop_here(void);                  /* this thread's loop; NULL in a plain thread */
void       loop_run(void);                   /* until nothing is left to wait for, or loop_stop */
void       loop_stop(void);                  /* return from loop_run after this turn */
int        loop_done(void);                  /* free it; UV_EBUSY while handles are open: close them, try again */

void       loop_ready(ready *r);             /* run r soon, never from inside this call */
void       loop_at_turn_end(ready *r);       /* run r when this turn has nothing more to do */
void       loop_immediate(ready *r);         /* run r after the next poll for I/O */
bool       loop_run_ready(void);             /* run what is ready now; true if anything was */

#endif
