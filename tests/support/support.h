/* support.h - what the unit tests share. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "server/async/promise.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

void store(int err, void *arg);              /* a follower: *(int *)arg = err */
int  outcome_of(promise *p);                 /* takes p, runs the loop, returns its outcome; 1 if not settled */
int  outcome_now(promise *p);                /* takes p, which must have settled, as in a blocking thread */
/* Zeros, until the test's process ends. What is large and static would be searched for pointers, as all of a program's data is,
 * when each of the other tests is looked at for leaks. */
void *zeros(size_t size);

void run_in_thread(void (*run)(void *), void *arg);          /* a plain one, to its end */

/* Time, for tests, passes by leaps: libuv's clock goes ms ahead of the machine's. */
void clock_skip(uint64_t ms);
void clock_set_date(time_t now);             /* what time() says from now on; 0: what it is */
void clock_tick(uint64_t ms);                /* from now on it goes on by so much whenever libuv looks at it */
void clock_hold(void);                       /* from now on it stands still but for those: for what is due between two times */
bool loop_turn_skipping(void);               /* one turn of the loop, waiting for no timer; false when none is left */
void loop_run_skipping(void);                /* loop_run, waiting for no timer */

/* From now on the log goes to a file; all that it has by now, until it is asked again. */
void        log_capture(void);
const char *log_captured(void);
int         log_times(const char *part);     /* how often it has that */

/* A promise that counts how often it is asked to stop, and settles only when told to. */
typedef struct fake { promise *promise; int cancels; int answer; } fake;
promise *fake_new(fake *f, int answer);      /* settles with answer when cancelled, 1: does not */

#endif
