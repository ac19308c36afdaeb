/* loop_events.h - how a loop's turns go by: its phases and lists by name, and what it records of them while somebody watches.
 *
 * libuv runs its phases one after the other, and round again (docs.libuv.org/en/v1.x/design.html):
 *
 *     timers -> pending -> idle -> prepare -> poll -> check -> closing
 *        ^                                                        |
 *        +--------------------------------------------------------+
 *
 * From 1.45 on libuv begins a turn behind the timers, and ends with them: the circle is the same. Recorded turns are cut where
 * the loop sleeps, in poll: RECORD_SLEEP is the beginning of one. Phases are RECORD_PHASE when they have ended; one in which
 * nothing was called is left out, but for prepare, poll and check, in which the loop itself has something to do. */
#ifndef LOOP_EVENTS_H
#define LOOP_EVENTS_H

#include <stdint.h>

typedef enum loop_phase {
    LOOP_TIMERS, LOOP_PENDING, LOOP_IDLE, LOOP_PREPARE, LOOP_POLL, LOOP_CHECK, LOOP_CLOSING, LOOP_PHASES
} loop_phase;

extern const char *const LOOP_PHASE_NAMES[LOOP_PHASES];      /* "timers" */

/* What loop.h keeps to be run. */
typedef enum loop_list { LOOP_TICKS, LOOP_READY, LOOP_TURN_END, LOOP_IMMEDIATES, LOOP_LISTS } loop_list;

extern const char *const LOOP_LIST_NAMES[LOOP_LISTS];        /* "next tick" */

#endif
