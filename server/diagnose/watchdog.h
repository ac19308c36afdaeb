/* watchdog.h - a thread that watches over the loops, and says what is wrong with them.
 *
 *   A blocked loop.  A callback that runs for longer than it may keeps all other work of its loop waiting. While it
 *                    still does, its stack is logged, and in the end how long it took:
 *
 *     warning: loop 1 is blocked, for 103 ms by now by GET /users/:id (/users/:id, 103 ms old): to_html (markdown.c:58) < ...
 *     warning: loop 1 was blocked for 1204 ms by GET /users/:id
 *
 *                    A callback is known by the loop's activity (loop.h), which the watchdog reads four times
 *                    in the time that is allowed: so one that takes a quarter longer is always seen.
 *                    Of each label at most STALLS_A_MINUTE are logged; all are counted (label.h, stall_table.h).
 *                    What cannot be measured is when it began: the times may be a quarter short, and shorter where
 *                    the watchdog itself had no processor for as long (the process may have been stopped). While one
 *                    is blocked the watchdog looks more often: where it is, and when that is over, is known soon.
 *   Promises         that were never awaited are logged by it (unawaited_log.h).
 *   A dump.          On SIGUSR2, or when asked, each loop writes down its tasks, and the watchdog logs them (task_dump.h).
 *
 * It costs the loops nothing more than that number. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

int  watchdog_start(uint64_t slow_ms);          /* 0, or a negative error; slow_ms 0: blocked loops are not looked for */
void watchdog_stop(void);                       /* after the last watchdog_loop_end; what is still to be logged is */

void watchdog_loop_begin(void);                 /* this thread's loop, after loop_start */
void watchdog_loop_end(void);                   /* before loop_done */

bool watchdog_dump(void);                       /* from any thread, or a signal handler; false: there is no watchdog */
bool watchdog_wake(void);                       /* there is something to log; false: there is no watchdog */

#endif
