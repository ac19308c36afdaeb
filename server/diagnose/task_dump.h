/* task_dump.h - what every task of a loop is, how old, and what it waits for: in the log.
 *
 *   info: loop 1 has 2 tasks
 *   info: loop 1: /sleep, 1503 ms old (GET /sleep), awaits sleep_for() at handlers/sleep.c:14
 *   info: loop 1: /users/:id, 3 ms old (GET /users/:id), awaits promise_gather() at handlers/users/user_page.c:20
 *
 * The loop only writes down what there is; finding the lines takes longer, and is left to the watchdog. */
#ifndef TASK_DUMP_H
#define TASK_DUMP_H

void task_dump_take(int loop);                    /* of this thread's tasks; loop is the number to log */
void task_dump_log(void);                         /* what has been taken and not been logged; any thread, one at a time */

/* Whoever has no loops, but something to tell when they do: others logs it, on any thread; NULL: there is nothing any more. */
void task_dump_also(void (*others)(void));
void task_dump_log_others(void);

void task_dump_stacks(void);                      /* logs the most that was used of a stack for each label, if that is counted */

#endif
