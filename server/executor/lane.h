/* lane.h - a kind of work on libuv's thread pool, and how much of it there may be at once.
 *
 * libuv has one pool for everything: rendering, files, name lookups. A lane in front of it keeps any one
 * kind from taking all threads: on each loop so many of its jobs run at once, so many more wait in
 * order, and the rest are refused.
 *
 *     pictures = lane_add("pictures", 2, 100);              once, before any other thread starts
 *     err = await(in_lane(pictures, shrink, &picture));
 *
 *   Modes.  A plain thread does its work right here, and nobody else's waits for it: it is only counted. */
#ifndef LANE_H
#define LANE_H

#include "server/async/promise.h"

#include <stdint.h>

typedef struct lane lane;

enum { LANES = 8 };                          /* as many there may be */

/* There from the start. */
extern lane *const LANE_CPU;                 /* "cpu": what computes, see threads.h */
extern lane *const LANE_FILES;               /* "files": what waits for a disk */

/* How many of each loop's may run and wait. If there is one of that name already, it is that one, with
 * these bounds from now on. The name must outlive it; a lane is for ever. */
lane *lane_add(const char *name, int running, int waiting);

/* How many milliseconds one may wait in it while more comes than can be done (codel.h); 0, as at first: any. Whoever
 * has waited longer is refused when another job has ended. */
void lane_set_target(lane *l, uint64_t ms);

/* On a loop: how many more jobs it could take without keeping those that come later for long. */
int  lane_room(const lane *l);

/* Run fn(arg) on the thread pool; the promise settles with what fn returns, or is refused: at once
 * when too many wait already, later if it has waited too long, with the lane's error of refusal.h, or UV_EAGAIN if it
 * has none. arg must outlive it, which await() guarantees for a local. Cancelling stops it
 * only while it waits; once running it runs to its end. In a plain thread fn runs right here. */
MUST_AWAIT promise *in_lane(lane *l, int (*fn)(void *arg), void *arg);

/* For work that gets to the pool by another way, like uv_fs: enter before it, leave when it has ended.
 * It refuses as in_lane does. Who is cancelled in line has not entered. */
MUST_AWAIT promise *lane_enter(lane *l);
void lane_leave(lane *l);                    /* on the same thread */

/* Of all loops and plain threads together, as they are now. */
typedef struct lane_counts {
    const char *name;
    int         running, waiting;
    uint64_t    done, refused;               /* since the start */
} lane_counts;

int lane_count_all(lane_counts counts[LANES]);               /* how many lanes there are */

#endif
